//! Money moves to many: `POST /v1/payouts`, from one of the caller's own wallets to up to 48 others, all or nothing.

#[cfg(feature = "openapi")]
mod openapi;

use serde::Deserialize;
use wallet_domain::{Command, Currency, MAX_PAYMENTS, Payment};
#[cfg(feature = "openapi")]
use wallet_lambda::openapi as types;
use wallet_lambda::{
    AmountText, App, Call, DRY_RUN, Function, Object, Problem, Reply, Routes, Strategy, Texts, currency, optional,
    order, parsed, scope,
};

/// The `payout` function.
pub struct Payout;

const POST: &str = "POST /v1/payouts";

impl Function for Payout {
    const NAME: &'static str = "payout";
    const ROUTES: Routes = &[(POST, DRY_RUN)];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        call.require(scope::WALLETS_WRITE)?;
        let Body { source, currency: code, payments, reference, metadata, locking_strategy } = call.json()?;
        if !(1..=MAX_PAYMENTS).contains(&payments.len()) {
            return Err(wrong_number(payments.len()));
        }
        let (source, currency) = (parsed("source", &source)?, currency(&code)?);
        let payments = (0..).zip(payments).map(|(place, Object(payment))| payment.payment(place, currency));
        let payments = payments.collect::<Result<Vec<_>, _>>()?;
        let total = wallet_domain::Payout::total(&payments);
        let total = total.map_err(|error| Problem::invalid_amount("payments", &error))?;
        let order = order(call, total, reference, metadata)?;
        // Of 48 payees some are busy, as a rule, and an optimistic payout loses to each of them.
        let strategy = optional("locking_strategy", locking_strategy)?.unwrap_or(Strategy::Pessimistic);
        let fee = app.settings().transfer_fee.clone();
        let command = Command::Payout(wallet_domain::Payout { order, source, payments, fee });
        app.execute(call, &command, Some(strategy)).await
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Payout))]
#[serde(deny_unknown_fields)]
struct Body {
    #[cfg_attr(feature = "openapi", schema(value_type = types::WalletId))]
    source: String,
    #[cfg_attr(feature = "openapi", schema(value_type = types::Currency))]
    currency: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<PaymentBody>, min_items = 1, max_items = 48))]
    payments: Vec<Object<PaymentBody>>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Reference>))]
    reference: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Labels>))]
    metadata: Option<Texts>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::LockingStrategy>))]
    locking_strategy: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Payment))]
#[serde(deny_unknown_fields)]
struct PaymentBody {
    #[cfg_attr(feature = "openapi", schema(value_type = types::WalletId))]
    destination: String,
    #[cfg_attr(feature = "openapi", schema(value_type = types::Amount))]
    amount: AmountText,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Reference>))]
    reference: Option<String>,
}

impl PaymentBody {
    fn payment(self, place: usize, currency: Currency) -> Result<Payment, Problem> {
        let field = |name: &str| format!("payments[{place}].{name}");
        Ok(Payment {
            destination: parsed(&field("destination"), &self.destination)?,
            amount: self.amount.amount(&field("amount"), currency)?,
            reference: optional(&field("reference"), self.reference)?,
        })
    }
}

fn wrong_number(payments: usize) -> Problem {
    if payments == 0 {
        return Problem::malformed("`payments`: a payout has at least one.");
    }
    let payouts = payments.div_ceil(MAX_PAYMENTS);
    Problem::malformed(format!(
        "`payments`: there are {payments}, and a payout has {MAX_PAYMENTS} at most. Split them into {payouts} payouts, each with an \
         Idempotency-Key of its own: each is all or nothing by itself."
    ))
}
