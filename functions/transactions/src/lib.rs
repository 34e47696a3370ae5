//! Answers with transactions, statements and refused attempts. Writes nothing.

#[cfg(feature = "openapi")]
mod openapi;

use wallet_domain::{MarkName, Reference};
use wallet_lambda::{
    App, Call, EntryView, Function, List, PAGING, Paging, Problem, QueuedView, Record, Reply, Routes, TransactionView,
    may_see, optional, scope,
};

/// The `transactions` function.
pub struct Transactions;

const ENTRIES: &str = "GET /v1/wallets/{wallet_id}/entries";
const ATTEMPTS: &str = "GET /v1/wallets/{wallet_id}/attempts";
const GET: &str = "GET /v1/transactions/{transaction_id}";
const REFERRED: &str = "GET /v1/transactions";

impl Function for Transactions {
    const NAME: &'static str = "transactions";
    const ROUTES: Routes =
        &[(ENTRIES, PAGING), (ATTEMPTS, PAGING), (GET, &[]), (REFERRED, &["reference", "limit", "cursor"])];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        call.require(scope::WALLETS_READ)?;
        match call.route() {
            ENTRIES => entries(app, call).await,
            ATTEMPTS => attempts(app, call).await,
            GET => get(app, call).await,
            REFERRED => referred(app, call).await,
            other => unreachable!("{other} is none of this function's routes"),
        }
    }
}

async fn entries(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    let list = List::entries(call.wallet_id()?);
    let Paging { after, limit } = call.paging(&list)?;
    let wallet = app.wallet(call).await?;
    let all = wallet.version.saturating_add(1);
    let before = after.map_or(all, |after| all.min(after));
    let page = app.ledger().entries(wallet.id, Some(before), limit, call.usage()).await?;
    let entries: Vec<_> = page.items.iter().map(EntryView::from).collect();
    Ok(Reply::page(&list, &entries, page.next.as_ref()))
}

async fn attempts(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    let list = List::attempts(call.wallet_id()?);
    let Paging { after, limit } = call.paging(&list)?;
    let wallet = app.wallet(call).await?;
    let page = app.ledger().attempts(wallet.id, after, limit, call.usage()).await?;
    let attempts: Vec<_> = page.items.iter().map(|failed| TransactionView::new(failed, call.caller())).collect();
    Ok(Reply::page(&list, &attempts, page.next.as_ref()))
}

/// What the caller asked for under a reference. To an administrator too it lists his own.
async fn referred(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    let reference: Option<Reference> = optional("reference", call.query("reference"))?;
    let reference = reference.ok_or_else(|| Problem::malformed("The query parameter `reference` is missing."))?;
    let caller = call.caller().subject.clone();
    let list = List::transactions(&caller, &reference);
    let Paging { after, limit } = call.paging(&list)?;
    let page = app.ledger().referred(&caller, &reference, after, limit, call.usage()).await?;
    let transactions: Vec<_> = page.items.iter().map(|found| TransactionView::new(found, call.caller())).collect();
    Ok(Reply::page(&list, &transactions, page.next.as_ref()))
}

async fn get(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    let id = call.transaction_id()?;
    let found = app.ledger().transaction_and(MarkName::REVERSAL, id, call.usage()).await?;
    let (transaction, reversal) = match found.ok_or_else(Problem::transaction_not_found)? {
        (Record::Transaction(transaction), by) if may_see(call.caller(), &transaction) => (*transaction, by),
        (Record::Queued(queued), _) if QueuedView::may_see(call.caller(), &queued.request) => {
            return Ok(Reply::ok(&QueuedView::from(&queued.request)));
        }
        _ => return Err(Problem::transaction_not_found()),
    };
    let rebate = match transaction.rebate() {
        Some(rebate) => app.ledger().transaction(rebate, call.usage()).await?,
        None => None,
    };
    let waiting = app.ledger().unsettled(&transaction, call.usage()).await?;
    let view = TransactionView::new(&transaction, call.caller()).with_settled(&transaction, &waiting);
    Ok(Reply::ok(&view.with_rebate(rebate.as_ref()).with_reversal(reversal)))
}
