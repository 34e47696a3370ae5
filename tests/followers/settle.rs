//! Wake-ups in: one pass for each wallet of a batch, and what is reported of those that cannot be read.

use serde_json::json;
use wallet_lambda::work;
use wallet_settle::Settle;
use wallet_stack::TABLE;

use super::batch;
use crate::faults::{World, function, runtime};

fn wake_up(table: &str, wallet: &str) -> String {
    json!({"table": table, "wallet_id": wallet}).to_string()
}

#[test]
fn fifty_wake_ups_of_one_wallet_are_one_pass_and_an_unreadable_one_harms_no_other() {
    runtime().block_on(async {
        let world = World::new();
        let [one, other] = [world.open("a", "0", None).await, world.open("b", "0", None).await];
        let nobody = format!("wal_{:032x}", 0);
        let good = wake_up(TABLE, &one.to_string());
        let mut messages: Vec<(String, String)> = (0..50).map(|number| (format!("{number}"), good.clone())).collect();
        messages.extend([
            ("immediate".to_owned(), wake_up(TABLE, &other.to_string())),
            ("unknown".to_owned(), wake_up(TABLE, &nobody)),
            ("no JSON".to_owned(), "wake up".to_owned()),
            ("no wallet".to_owned(), wake_up(TABLE, "wal_1")),
            ("of another table".to_owned(), wake_up("another-ledger", &one.to_string())),
        ]);
        let event = batch(messages.iter().map(|(id, body)| (id.as_str(), body.as_str())));
        let report = work::<Settle>(&function(world.ledger(0, 10), &[]), event).await;
        let failed: Vec<_> = report.reasons.keys().map(String::as_str).collect();
        assert_eq!(failed, ["no JSON", "no wallet", "of another table"]);
        assert!(
            report.reasons.values().all(|reason| reason.starts_with("malformed_request: ")),
            "{:?}",
            report.reasons
        );
        let calls: u64 = world.network.counts().values().sum();
        assert!(calls <= 9, "three wallets, a few calls each: {calls}");
        assert_eq!([world.balance(one).await, world.balance(other).await], ["0.00"; 2]);
    });
}
