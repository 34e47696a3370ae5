//! Money comes in: `POST /v1/wallets/{wallet_id}/deposits`.
//!
//! Who holds `funds:deposit` may credit any wallet. The rebate rule in force is pinned in the deposit's record; the rebate
//! itself is paid elsewhere, from the table's stream.

#[cfg(feature = "openapi")]
mod openapi;

use wallet_domain::Command;
use wallet_lambda::{App, Call, DRY_RUN, Function, OrderBody, Problem, Reply, Routes, scope};

/// The `deposit` function.
pub struct Deposit;

const POST: &str = "POST /v1/wallets/{wallet_id}/deposits";

impl Function for Deposit {
    const NAME: &'static str = "deposit";
    const ROUTES: Routes = &[(POST, DRY_RUN)];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        call.require(scope::FUNDS_DEPOSIT)?;
        let wallet = call.wallet_id()?;
        let (order, strategy) = call.json::<OrderBody>()?.order(call)?;
        let rules = app.settings().rebate_rules.clone();
        let command = Command::Deposit(wallet_domain::Deposit { order, wallet, rules });
        app.execute(call, &command, strategy).await
    }
}
