//! Money is kept back for a payee, and captured or given up: `/v1/holds`, and the holds of a wallet.
//!
//! The `sweep`, which releases holds whose time is over, is the second binary of this crate.

#[cfg(feature = "openapi")]
mod openapi;
pub mod sweep;

use serde::Deserialize;
use wallet_domain::{Authorise, Capture, Command, HOLD_LIFETIME, Hold, Kind, SignedDuration, Transaction, Void};
#[cfg(feature = "openapi")]
use wallet_lambda::openapi as types;
use wallet_lambda::{
    AmountText, App, Call, Count, DRY_RUN, Function, HoldView, List, OrderBody, PAGING, Paging, Problem, Reply, Routes,
    Texts, optional, parsed, scope,
};

/// The `holds` function.
pub struct Holds;

const AUTHORISE: &str = "POST /v1/holds";
const GET: &str = "GET /v1/holds/{hold_id}";
const LIST: &str = "GET /v1/wallets/{wallet_id}/holds";
const CAPTURE: &str = "POST /v1/holds/{hold_id}/captures";
const VOID: &str = "POST /v1/holds/{hold_id}/void";

/// How long a hold may live, in seconds: a minute to 30 days.
const LIFETIMES: std::ops::RangeInclusive<i64> = 60..=2_592_000;

impl Function for Holds {
    const NAME: &'static str = "holds";
    const ROUTES: Routes = &[(AUTHORISE, DRY_RUN), (GET, &[]), (LIST, PAGING), (CAPTURE, DRY_RUN), (VOID, DRY_RUN)];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        match call.route() {
            AUTHORISE => authorise(app, call).await,
            GET => get(app, call).await,
            LIST => list(app, call).await,
            CAPTURE => capture(app, call).await,
            VOID => void(app, call).await,
            other => unreachable!("{other} is none of this function's routes"),
        }
    }
}

/// The fields of an [`OrderBody`], two wallets and a lifetime.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = NewHold))]
#[serde(deny_unknown_fields)]
struct HoldBody {
    #[cfg_attr(feature = "openapi", schema(value_type = types::WalletId))]
    source: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::WalletId>))]
    destination: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = types::Amount))]
    amount: AmountText,
    #[cfg_attr(feature = "openapi", schema(value_type = types::Currency))]
    currency: String,
    /// Seconds until it is captured no more; a week without it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 60, maximum = 2_592_000))]
    expires_in: Option<Count>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Reference>))]
    reference: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Labels>))]
    metadata: Option<Texts>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::LockingStrategy>))]
    locking_strategy: Option<String>,
}

async fn authorise(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_WRITE)?;
    let body: HoldBody = call.json()?;
    let HoldBody { source, destination, amount, currency, expires_in, reference, metadata, locking_strategy } = body;
    let (source, destination) = (parsed("source", &source)?, optional("destination", destination)?);
    let expires_in = match expires_in.map(|Count(seconds)| i64::from(seconds)) {
        Some(seconds) if !LIFETIMES.contains(&seconds) => {
            let (least, most) = (LIFETIMES.start(), LIFETIMES.end());
            return Err(Problem::malformed(format!("`expires_in` must be {least} to {most} seconds.")));
        }
        Some(seconds) => SignedDuration::from_secs(seconds),
        None => HOLD_LIFETIME,
    };
    let order = OrderBody { amount, currency, reference, metadata, locking_strategy };
    let (order, strategy) = order.order(call)?;
    let fee = app.settings().transfer_fee.clone();
    let command = Command::Authorise(Authorise { order, source, destination, expires_in, fee });
    app.execute(call, &command, strategy).await
}

#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Capture))]
#[serde(deny_unknown_fields)]
struct CaptureBody {
    /// All that remains without it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Amount>))]
    amount: Option<AmountText>,
    /// Whether the rest is released; it is, without it.
    r#final: Option<bool>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::LockingStrategy>))]
    locking_strategy: Option<String>,
}

async fn capture(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_WRITE)?;
    let made_by = call.hold_id()?;
    let body: CaptureBody = call.json_or_nothing()?;
    let (caller, key) = (call.caller().clone(), call.idempotency_key()?);
    let strategy = optional("locking_strategy", body.locking_strategy)?;
    let hold = made(app, call, made_by).await?;
    let amount = body.amount.map(|amount| amount.amount("amount", hold.amount.currency())).transpose();
    let amount = match amount {
        Ok(amount) => amount,
        // The problem tells the hold's currency: only to those who may see the hold.
        Err(problem) => {
            seen(app, call, &hold).await?;
            return Err(problem);
        }
    };
    let is_final = body.r#final.unwrap_or(true);
    let command = Command::Capture(Capture { caller, key, hold: Box::new(hold), amount, is_final });
    app.execute(call, &command, strategy).await
}

#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Void))]
#[serde(deny_unknown_fields)]
struct VoidBody {
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::LockingStrategy>))]
    locking_strategy: Option<String>,
}

async fn void(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_WRITE)?;
    let made_by = call.hold_id()?;
    let body: VoidBody = call.json_or_nothing()?;
    let (caller, key) = (call.caller().clone(), call.idempotency_key()?);
    let strategy = optional("locking_strategy", body.locking_strategy)?;
    let hold = made(app, call, made_by).await?;
    app.execute(call, &Command::Void(Void { caller, key, hold: Box::new(hold) }), strategy).await
}

async fn get(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_READ)?;
    let made_by = call.hold_id()?;
    let made = made(app, call, made_by).await?;
    let hold = seen(app, call, &made).await?;
    Ok(Reply::ok(&HoldView::new(&hold, app.ledger().now())))
}

/// The hold that `made` made, if the caller may see it.
async fn seen(app: &App, call: &mut Call, made: &Transaction) -> Result<Hold, Problem> {
    let found = app.ledger().hold(made, call.usage()).await?;
    let caller = call.caller();
    let seen = found.filter(|(_, wallets)| {
        made.caller == caller.subject || caller.admin || wallets.values().any(|wallet| caller.owns(wallet))
    });
    seen.map(|(hold, _)| hold).ok_or_else(Problem::hold_not_found)
}

async fn list(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_READ)?;
    let list = List::holds(call.wallet_id()?);
    let Paging { after, limit } = call.paging(&list)?;
    let wallet = app.wallet(call).await?;
    let page = app.ledger().holds(wallet.id, after, limit, call.usage()).await?;
    let now = app.ledger().now();
    let holds: Vec<_> = page.items.iter().map(|hold| HoldView::new(hold, now)).collect();
    Ok(Reply::page(&list, &holds, page.next.as_ref()))
}

/// The transaction that made the hold. It never changes, so it may be read before the hold itself.
async fn made(app: &App, call: &mut Call, id: wallet_domain::TransactionId) -> Result<Transaction, Problem> {
    let made = app.ledger().transaction(id, call.usage()).await?;
    let made = made.filter(|made| made.kind == Kind::HOLD && Hold::made_by(made).is_some());
    made.ok_or_else(Problem::hold_not_found)
}
