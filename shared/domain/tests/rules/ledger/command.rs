//! What the model understands, as commands of the domain.

use wallet_domain::*;

use super::{Ledger, Request, caller, money};
use crate::model::{Ask, Moved, Share};
use crate::purse::Terms;
use crate::world::{basis_points, key, rule_id};

impl Ledger {
    pub(super) fn command(&self, request: &Request) -> Command {
        let (caller, key) = (caller(request.by), key(&format!("key {}", request.key)));
        let transaction = |id: TransactionId| Box::new(self.stored.transactions[&id].clone());
        let order = |moved: &Moved| Order {
            caller: caller.clone(),
            key: key.clone(),
            amount: Amount::new(money(moved.units, moved.code)).expect("amounts are positive"),
            reference: None,
            metadata: Metadata::default(),
            expected_version: moved.pin,
        };
        match &request.ask {
            Ask::Deposit { to, moved, rule } => {
                let rules = rule.iter().map(|rule| rebate_terms(*rule, moved.code)).collect();
                Command::Deposit(Deposit { order: order(moved), wallet: self.ids[*to], rules })
            }
            Ask::Withdraw { from, moved } => {
                Command::Withdraw(Withdraw { order: order(moved), wallet: self.ids[*from] })
            }
            Ask::Transfer { from, to, moved, fee } => Command::Transfer(Transfer {
                order: order(moved),
                source: self.ids[*from],
                destination: self.ids[*to],
                fee: fee.map(|fee| fee_schedule(fee, moved.code)),
            }),
            Ask::Payout { from, to, moved, fee } => {
                let order = order(moved);
                let payments =
                    to.map(|to| Payment { destination: self.ids[to], amount: order.amount, reference: None });
                let order = Order { amount: Payout::total(&payments).expect("within bounds"), ..order };
                let fee = fee.map(|fee| fee_schedule(fee, moved.code));
                Command::Payout(Payout { order, source: self.ids[*from], payments: payments.into(), fee })
            }
            Ask::Amend { wallet, version, terms } => Command::Amend(Amend {
                caller,
                wallet: self.ids[*wallet],
                expected: Expected::Version(*version),
                change: change(terms, self.model.wallets[*wallet].code),
            }),
            Ask::Rebate { deposit } => {
                let deposit = self.deposits[*deposit];
                let wallet = self.stored.transactions[&deposit].wallet;
                Command::PayRebate(PayRebate { deposit, wallet, rule: rule_id("rule") })
            }
            Ask::Hold { from, to, moved, fee, lives_ms } => Command::Authorise(Authorise {
                order: order(moved),
                source: self.ids[*from],
                destination: to.map(|to| self.ids[to]),
                expires_in: SignedDuration::from_millis(*lives_ms),
                fee: fee.map(|fee| fee_schedule(fee, moved.code)),
            }),
            Ask::Capture { hold, units, is_final } => Command::Capture(Capture {
                caller,
                key,
                hold: transaction(self.holds[*hold]),
                amount: units.map(|units| {
                    let code = self.model.wallets[self.model.holds[*hold].from].code;
                    Amount::new(money(units, code)).expect("amounts are positive")
                }),
                is_final: *is_final,
            }),
            Ask::Void { hold } => Command::Void(Void { caller, key, hold: transaction(self.holds[*hold]) }),
            Ask::Reverse { movement, overdraft, return_fee } => Command::Reverse(Reverse {
                caller,
                key,
                original: transaction(self.movements[*movement]),
                allow_overdraft: *overdraft,
                return_fee: *return_fee,
                reference: None,
                metadata: Metadata::default(),
            }),
        }
    }
}

fn points(share: Share) -> BasisPoints {
    basis_points(share.points.try_into().expect("a small number"))
}

fn bound(units: i128, code: &str) -> Bounds {
    Bounds::new([money(units, code)]).expect("not negative")
}

fn rebate_terms(share: Share, code: &str) -> RebateTerms {
    let (minimum, cap) = (bound(share.minimum, code), bound(share.maximum, code));
    let monthly_cap = share.monthly.map(|units| bound(units, code)).unwrap_or_default();
    RebateTerms { minimum, cap, monthly_cap, ..RebateTerms::new(rule_id("rule"), points(share)) }
}

fn fee_schedule(share: Share, code: &str) -> FeeSchedule {
    let (minimum, maximum) = (bound(share.minimum, code), bound(share.maximum, code));
    FeeSchedule::new(points(share), minimum, maximum).expect("minimum up to maximum")
}

fn change(terms: &Terms, code: &str) -> Change {
    let text = |units: i128| money(units, code).to_string();
    Change {
        status: terms.status.map(|name| Status::from_name(name).expect("the model's names are the domain's")),
        credits: terms.credits.map(|name| Credits::from_name(name).expect("the model's names are the domain's")),
        floor: terms.floor.map(text),
        ceiling: terms.ceiling.map(|ceiling| ceiling.map(text)),
        max_movement: terms.max_movement.map(|limit| limit.map(text)),
        max_daily_outflow: terms.daily.map(|limit| limit.map(text)),
        transfers_per_minute: terms.rate,
    }
}
