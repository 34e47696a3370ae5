//! Opens, lists, shows and amends wallets.

mod amend;
mod open;

use wallet_lambda::{App, Call, Function, List, Paging, Problem, Reply, WalletView, scope};

/// The `wallets` function.
pub struct Wallets;

const OPEN: &str = "POST /v1/wallets";
const LIST: &str = "GET /v1/wallets";
const GET: &str = "GET /v1/wallets/{wallet_id}";
const AMEND: &str = "PATCH /v1/wallets/{wallet_id}";

impl Function for Wallets {
    const NAME: &'static str = "wallets";
    const ROUTES: &'static [&'static str] = &[OPEN, LIST, GET, AMEND];
    const LISTS: &'static [&'static str] = &[LIST];

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

/// The caller's own wallets, oldest first. To an admin too it lists his own; he gets others' by their ids.
async fn list(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_READ)?;
    let owner = call.caller().subject.clone();
    let list = List::wallets(&owner);
    let Paging { after, limit } = call.paging(&list)?;
    let page = app.ledger().wallets_of(&owner, after, limit, call.usage()).await?;
    let wallets: Vec<_> = page.items.iter().map(WalletView::from).collect();
    Ok(Reply::page(&list, &wallets, page.next.as_ref()))
}

async fn get(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_READ)?;
    let wallet = app.wallet(call).await?;
    let incoming = match wallet.may_have_incoming() {
        true => Some(app.ledger().incoming(&wallet, call.usage()).await?),
        false => None,
    };
    Ok(Reply::wallet(&wallet, &WalletView::from(&wallet).with_incoming(incoming)))
}
