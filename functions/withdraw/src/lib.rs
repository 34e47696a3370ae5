//! Money goes out: `POST /v1/wallets/{wallet_id}/withdrawals`, from the caller's own wallets.

#[cfg(feature = "openapi")]
mod openapi;

use wallet_domain::Command;
use wallet_lambda::{App, Call, DRY_RUN, Function, OrderBody, Problem, Reply, Routes, scope};

/// The `withdraw` function.
pub struct Withdraw;

const POST: &str = "POST /v1/wallets/{wallet_id}/withdrawals";

impl Function for Withdraw {
    const NAME: &'static str = "withdraw";
    const ROUTES: Routes = &[(POST, DRY_RUN)];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        call.require(scope::WALLETS_WRITE)?;
        let wallet = call.wallet_id()?;
        let (order, strategy) = call.json::<OrderBody>()?.order(call)?;
        let command = Command::Withdraw(wallet_domain::Withdraw { order, wallet });
        app.execute(call, &command, strategy).await
    }
}
