//! What a message may say, and what a batch answers about it.

use serde_json::{Value, json};
use wallet_domain::{Command, Withdraw};
use wallet_dynamodb::{Done, Strategy, Usage};
use wallet_lambda::work;
use wallet_rebate::Rebate;
use wallet_stack::TABLE;

use super::{check, failed, message};
use crate::followers::batch;
use crate::ledger::{caller, order};

#[test]
fn a_batch_reports_exactly_the_messages_that_failed() {
    check(async |desk, wallet| {
        let other = desk.world.open("b", "0", None).await;
        let (first, second) = (desk.deposit(wallet, "100.00").await, desk.deposit(wallet, "200.00").await);
        let mut order = order("a", "out".parse().expect("a printable key"), "1.00");
        order.caller = caller("a");
        let withdraw = Command::Withdraw(Withdraw { order, wallet });
        let done = desk.world.plain().execute(&withdraw, Strategy::Optimistic, &mut Usage::default()).await;
        let Ok(Done::Executed(withdrawal)) = done else { panic!("{done:?}") };

        let with = |field: &str, value: Value| {
            let mut body: Value = serde_json::from_str(&first.body).expect("JSON");
            body[field] = value;
            body.to_string()
        };
        let rebate = first.rebate.to_string();
        // Its rebate is named after deposit and rule: once it is on record, another wallet's claim to it is known as such.
        let claim = ["transaction_not_found", "idempotency_key_reused"];
        let (unreadable, unknown) = (["malformed_request"; 2], ["transaction_not_found"; 2]);
        let another = "arn:aws:dynamodb:us-east-1:000000000000:table/another/stream/now";
        let bodies = [
            ("first", first.body.clone(), None),
            ("empty", String::new(), Some(unreadable)),
            ("no JSON", "pay alice 1.00".to_owned(), Some(unreadable)),
            ("no fields", "{}".to_owned(), Some(unreadable)),
            ("of another table", with("source", json!(another)), Some(unreadable)),
            ("no id", with("deposit_id", json!("txn_1")), Some(unreadable)),
            ("unknown", with("deposit_id", json!(format!("txn_{:032}", 0))), Some(unknown)),
            ("a withdrawal", with("deposit_id", json!(withdrawal.id.to_string())), Some(unknown)),
            ("its own rebate", with("deposit_id", json!(rebate)), Some(unknown)),
            ("another's wallet", with("wallet_id", json!(other.to_string())), Some(claim)),
            ("no wallet", with("wallet_id", json!(format!("wal_{:032}", 0))), Some(claim)),
            ("another rule", with("rule_id", json!("generous")), Some(unknown)),
            ("second", second.body.clone(), None),
            ("first again", first.body.clone(), None),
        ];
        let app = desk.process("optimistic");
        // Whatever else is in the batch, and wherever.
        for turned in 0..bodies.len() {
            let mut bodies = bodies.clone();
            bodies.rotate_left(turned);
            let report = work::<Rebate>(&app, batch(bodies.iter().map(|(id, body, _)| (*id, &**body)))).await;
            let expected: Vec<_> = bodies.iter().filter(|(_, _, code)| code.is_some()).map(|(id, _, _)| *id).collect();
            assert_eq!(failed(&report), expected);
            assert_eq!(report.reasons.len(), expected.len());
            for (id, _, codes) in &bodies {
                let code = report.reasons.get(*id).and_then(|reason| reason.split(':').next());
                assert!(codes.map_or(code.is_none(), |codes| codes.contains(&code.unwrap_or(""))), "{id}: {code:?}");
            }
        }
        assert_eq!(desk.paid(&first).await.as_deref(), Some("1.00"));
        assert_eq!(desk.paid(&second).await.as_deref(), Some("2.00"));
        assert_eq!([desk.world.balance(wallet).await, desk.world.balance(other).await], ["302.00", "0.00"]);
    });
}

#[test]
fn a_message_without_an_id_brings_no_other_back() {
    check(async |desk, wallet| {
        let earned = desk.deposit(wallet, "100.00").await;
        for id in [None, Some(String::new())] {
            let mut event = batch([("nameless", "no JSON"), ("good", &earned.body)]);
            event.records[0].message_id = id;
            // An empty identifier in the answer would bring the whole batch back.
            desk.work_off(&desk.process("optimistic"), event).await;
        }
        assert_eq!(desk.paid(&earned).await.as_deref(), Some("1.00"));
    });
}

#[test]
fn a_message_of_another_table_pays_nothing_even_if_its_deposit_is_here() {
    check(async |desk, wallet| {
        let earned = desk.deposit(wallet, "100.00").await;
        let mut body = message(TABLE, &earned.deposit, &wallet.to_string());
        body["source"] = json!("arn:aws:dynamodb:us-east-1:000000000000:table/staging-ledger/stream/now");
        let writes = desk.writes();
        let report = work::<Rebate>(&desk.process("optimistic"), batch([("stray", &*body.to_string())])).await;
        assert_eq!(failed(&report), ["stray"]);
        assert_eq!((desk.writes() - writes, desk.world.balance(wallet).await), (0, "100.00".to_owned()));
        desk.work_off(&desk.process("optimistic"), batch([("own", &*earned.body)])).await;
    });
}
