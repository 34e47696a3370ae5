//! A transaction, for those whom it concerns: each sees the balances of his own wallets and of no other.

use std::collections::BTreeMap;

use serde::Serialize;
use wallet_domain::{Caller, Leg, Money, Outcome, Owner, Reference, Refusal, Transaction, TransactionId, WalletId};

use super::time::time;
use crate::problem::{Problem, Reason};
#[cfg(feature = "openapi")]
use crate::schema;

static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

/// A transaction as one caller sees it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Transaction))]
pub struct TransactionView<'a> {
    /// `null` of what was not to be written.
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::TransactionId>))]
    id: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Kind))]
    r#type: &'a str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Outcome))]
    status: &'static str,
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    amount: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Currency))]
    currency: &'static str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    fee: String,
    legs: Vec<LegView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    rebate: Option<RebateView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, value_type = schema::TransactionId, required = false))]
    reversed_by: Option<String>,
    #[cfg_attr(feature = "openapi", schema(required))]
    reference: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::TransactionId>))]
    parent_id: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    created_at: String,
}

/// Where to look for the rebate of a deposit, and what came of it if that was looked up.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Rebate))]
struct RebateView {
    rule_id: String,
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::TransactionId>))]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, required = false, value_type = schema::RebateOutcome))]
    status: Option<&'static str>,
}

#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Leg))]
struct LegView {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required = false, nullable = false, value_type = schema::WalletId))]
    wallet_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    account: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required = false, nullable = false, value_type = schema::Money))]
    balance_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    version_after: Option<u64>,
    /// The payment's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    reference: Option<String>,
    /// Of a credit into an inbox, where that was looked up: whether it is in the statement by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    settled: Option<bool>,
}

impl<'a> TransactionView<'a> {
    /// What `caller` may see of `transaction`.
    #[must_use]
    pub fn new(transaction: &'a Transaction, caller: &Caller) -> TransactionView<'a> {
        let asked = caller.admin || transaction.caller == caller.subject;
        // Of a request that was refused, the labels are for who gave them.
        let labelled = asked || matches!(transaction.outcome, Outcome::Posted { .. });
        let part = if asked { None } else { part_of(transaction, &caller.subject) };
        let reason = match &transaction.outcome {
            Outcome::Posted { .. } => None,
            Outcome::Failed { refusal, owner } => Some(reason(refusal, asked || *owner == caller.subject)),
        };
        TransactionView {
            id: Some(transaction.id.to_string()),
            r#type: transaction.kind.as_str(),
            status: status(transaction),
            dry_run: None,
            amount: part.unwrap_or(transaction.amount).to_string(),
            currency: transaction.amount.currency().code(),
            fee: part.map_or(transaction.fee, |part| Money::zero(part.currency())).to_string(),
            legs: transaction
                .legs()
                .iter()
                .filter(|leg| part.is_none() || leg.owner() == Some(&caller.subject))
                .map(|leg| LegView::new(leg, caller))
                .collect(),
            reason,
            rebate: transaction.rule.as_ref().map(|rule| RebateView {
                rule_id: rule.id.as_str().to_owned(),
                transaction_id: Some(TransactionId::rebate_of(transaction.id, &rule.id).to_string()),
                status: None,
            }),
            reversed_by: None,
            reference: transaction.reference.as_ref().filter(|_| labelled).map(Reference::as_str),
            metadata: if labelled { transaction.metadata.labels() } else { &NO_LABELS },
            parent_id: transaction.parent.map(|parent| parent.to_string()),
            created_at: time(transaction.created_at),
        }
    }
}

impl TransactionView<'_> {
    /// The same with what came of its rebate: `pending` while there is none on record.
    #[must_use]
    pub fn with_rebate(mut self, rebate: Option<&Transaction>) -> Self {
        if let Some(view) = &mut self.rebate {
            view.status = Some(rebate.map_or("pending", status));
        }
        self
    }

    /// The same with whether its credits into inboxes are settled: all but those of the wallets in `waiting`.
    #[must_use]
    pub fn with_settled(mut self, transaction: &Transaction, waiting: &[WalletId]) -> Self {
        for wallet in transaction.credited() {
            let id = Some(wallet.to_string());
            if let Some(view) = self.legs.iter_mut().find(|view| view.wallet_id == id) {
                view.settled = Some(!waiting.contains(&wallet));
            }
        }
        self
    }

    /// The same as what would be posted. Without a key it has no id, and neither has its rebate.
    pub(crate) fn with_dry_run(mut self, named: bool) -> Self {
        self.dry_run = Some(true);
        if !named {
            self.id = None;
            if let Some(rebate) = &mut self.rebate {
                rebate.transaction_id = None;
            }
        }
        self
    }

    /// The same with the transaction that reversed it.
    #[must_use]
    pub fn with_reversal(mut self, reversal: Option<TransactionId>) -> Self {
        self.reversed_by = reversal.map(|id| id.to_string());
        self
    }
}

fn status(transaction: &Transaction) -> &'static str {
    match transaction.outcome {
        Outcome::Posted { .. } => "posted",
        Outcome::Failed { .. } => "failed",
    }
}

/// What `subject` may see of a payout that he neither asked for nor pays, or of the reversal of one: what it comes to for
/// him, since payees know nothing of each other. `None` for everything.
fn part_of(transaction: &Transaction, subject: &Owner) -> Option<Money> {
    let legs = match &transaction.outcome {
        Outcome::Posted { legs, .. } => legs,
        Outcome::Failed { refusal, .. } => {
            let said = refusal.facts();
            return said.payment.and(said.requested);
        }
    };
    let pays = |leg: &Leg| leg.wallet() == Some(transaction.wallet) && leg.owner() == Some(subject);
    if legs.iter().filter_map(Leg::wallet).count() <= 2 || legs.iter().any(pays) {
        return None;
    }
    let own = legs.iter().filter(|leg| leg.owner() == Some(subject)).map(Leg::amount);
    let sum = own.fold(Money::zero(transaction.amount.currency()), |sum, amount| {
        sum.plus(amount).expect("the payments of one transaction come to an amount")
    });
    Some(if sum.is_negative() { sum.negated() } else { sum })
}

/// Whether `caller` may see `transaction` at all. An opening or amendment has no legs; it concerns the wallet's owner.
#[must_use]
pub fn may_see(caller: &Caller, transaction: &Transaction) -> bool {
    let amended = match &transaction.outcome {
        Outcome::Posted { wallet: Some(wallet), .. } => caller.owns(wallet),
        Outcome::Posted { wallet: None, .. } | Outcome::Failed { .. } => false,
    };
    caller.admin || amended || transaction.concerns(&caller.subject)
}

/// Why it failed: with the figures for who asked and for the owner of the wallet that refused.
fn reason(refusal: &Refusal, with_figures: bool) -> Reason {
    let reason = Problem::from(refusal).reason();
    if with_figures { reason } else { reason.without_available() }
}

impl LegView {
    fn new(leg: &Leg, caller: &Caller) -> LegView {
        let (amount, reference) = (leg.amount().to_string(), leg.reference().map(Reference::to_string));
        match leg {
            Leg::System { account, .. } => LegView { account: Some(account.to_string()), amount, ..LegView::default() },
            Leg::Wallet { wallet, owner, balance_after, version_after, .. } => {
                let own = caller.admin || *owner == caller.subject;
                LegView {
                    wallet_id: Some(wallet.to_string()),
                    amount,
                    balance_after: own.then(|| balance_after.to_string()),
                    version_after: own.then_some(*version_after),
                    reference,
                    ..LegView::default()
                }
            }
            Leg::Credit { wallet, .. } => {
                LegView { wallet_id: Some(wallet.to_string()), amount, reference, ..LegView::default() }
            }
        }
    }
}
