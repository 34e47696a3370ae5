//! Opens, lists, shows and amends wallets.

mod amend;
mod open;
#[cfg(feature = "openapi")]
mod openapi;

use wallet_domain::{Owner, Timestamp, Wallet};
use wallet_lambda::{
    App, Call, Code, Function, List, Paging, PastView, Problem, Reply, Routes, WalletView, optional, scope,
};

/// The `wallets` function.
pub struct Wallets;

const OPEN: &str = "POST /v1/wallets";
const LIST: &str = "GET /v1/wallets";
const GET: &str = "GET /v1/wallets/{wallet_id}";
const AMEND: &str = "PATCH /v1/wallets/{wallet_id}";

impl Function for Wallets {
    const NAME: &'static str = "wallets";
    const ROUTES: Routes = &[(OPEN, &[]), (LIST, &["owner", "limit", "cursor"]), (GET, &["at"]), (AMEND, &[])];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        match call.route() {
            OPEN => open::open(app, call).await,
            LIST => list(app, call).await,
            GET => get(app, call).await,
            AMEND => amend::amend(app, call).await,
            other => unreachable!("{other} is none of this function's routes"),
        }
    }
}

/// An owner's wallets, oldest first: the caller's own, or for an admin those of the `owner` that he names.
async fn list(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_READ)?;
    let owner: Owner = optional("owner", call.query("owner"))?.unwrap_or_else(|| call.caller().subject.clone());
    if owner != call.caller().subject {
        call.require(scope::WALLETS_ADMIN)?;
    }
    let list = List::wallets(&owner);
    let Paging { after, limit } = call.paging(&list)?;
    let page = app.ledger().wallets_of(&owner, after, limit, call.usage()).await?;
    let wallets: Vec<_> = page.items.iter().map(WalletView::from).collect();
    Ok(Reply::page(&list, &wallets, page.next.as_ref()))
}

async fn get(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_READ)?;
    let at = call.time("at")?;
    let wallet = app.wallet(call).await?;
    if let Some(at) = at {
        return past(app, call, &wallet, at).await;
    }
    if !wallet.may_have_incoming() {
        return Ok(Reply::wallet(&wallet, &WalletView::from(&wallet).with_incoming(None)));
    }
    let (wallet, incoming, is_all) = app.ledger().incoming(&wallet, call.usage()).await?;
    Ok(Reply::wallet(&wallet, &WalletView::from(&wallet).with_incoming(Some((incoming, is_all)))))
}

/// The wallet as it was at `at`. Its own newest time is not refused as the future, though it may be ahead of the clock here.
async fn past(app: &App, call: &mut Call, wallet: &Wallet, at: Timestamp) -> Result<Reply, Problem> {
    if at > app.ledger().now().max(wallet.updated_at) {
        return Err(Problem::malformed("`at` is in the future. Leave it out for the wallet as it is now."));
    }
    let past = app.ledger().wallet_at(wallet, at, call.usage()).await?;
    let past = past.ok_or_else(|| {
        let detail =
            format!("There was no wallet {} at that time: it was opened at {:.3}.", wallet.id, wallet.created_at);
        Problem::new(Code::WalletNotFound, detail)
    })?;
    Ok(Reply::ok(&PastView::new(wallet, at, past)))
}
