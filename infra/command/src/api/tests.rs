//! The commands as they are typed, against a running stack.

use serde_json::{Value, json};

use super::testing::{check, done, json_of, refused, run, run_by, started};
use super::*;
use crate::testing::until;

#[tokio::test]
async fn money_comes_in_moves_across_and_goes_out() {
    let stack = started(&[]).await;
    let url = stack.url();
    let alice = done(url, "open eur --as alice --ceiling 1000 --label shop=7").await;
    assert_eq!((&alice["owner"], &alice["metadata"]), (&json!("alice"), &json!({"shop": "7"})));
    let bob = done(url, "open EUR --as bob").await;

    let deposit = done(url, "deposit 100 --as alice --reference salary").await;
    assert_eq!(
        (&deposit["type"], &deposit["amount"], &deposit["reference"]),
        (&json!("deposit"), &json!("100.00"), &json!("salary"))
    );
    let sent = done(url, "send 5 bob --as alice --key k1").await;
    assert_eq!((&sent["legs"][0]["wallet_id"], &sent["legs"][1]["wallet_id"]), (&alice["id"], &bob["id"]));
    let again = done(url, "send 5 bob --as alice --key k1").await;
    assert_eq!(again, sent, "the first answer again");
    let by_id = format!(
        "send 1.50 {} --from alice/EUR --if-version 2 --strategy pessimistic --as alice",
        bob["id"].as_str().expect("an id")
    );
    done(url, &by_id).await;
    done(url, "withdraw 3 --as bob").await;

    let Shown::Many(_, wallets) = run(url, "show --as alice").await.expect("shown") else { panic!("other things") };
    assert_eq!((wallets.len(), &wallets[0]["balance"]), (1, &json!("93.50")));
    assert_eq!(done(url, "show bob --as bob").await["balance"], "3.50");
    assert_eq!(done(url, &format!("show {} --as bob", sent["id"].as_str().expect("an id"))).await["id"], sent["id"]);
    let amounts = |entries: Value| {
        entries["entries"].as_array().expect("entries").iter().map(|entry| entry["amount"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(amounts(done(url, "statement --limit 2 --as alice").await), ["-1.50", "-5.00"]);
    assert_eq!(amounts(done(url, "statement alice --all --as alice").await).len(), 4);
    stack.stop().await;
}

#[tokio::test]
async fn a_dry_run_and_a_reversal_and_a_look_back() {
    let stack = started(&["bob"]).await;
    let url = stack.url();
    let opened = done(url, "open EUR --as alice").await;
    let deposit = done(url, "deposit 10 --as alice").await;
    for line in ["deposit 1", "withdraw 1", "send 1 bob", "pay bob=1"] {
        let asked = done(url, &format!("{line} --dry-run --as alice")).await;
        assert_eq!((&asked["dry_run"], &asked["id"], &asked["status"]), (&json!(true), &json!(null), &json!("posted")));
    }
    refused(url, "send 11 bob --dry-run --as alice", 3, "(insufficient_funds)").await;
    let key = "send 4 bob --key k --as alice";
    let sent = done(url, key).await;
    assert_eq!(done(url, &format!("{key} --dry-run")).await["id"], sent["id"], "what became of the key");
    let now = done(url, "show alice --as alice").await;
    assert_eq!((&now["balance"], &now["version"]), (&json!("6.00"), &json!(2)), "dry runs wrote nothing");

    let then = deposit["created_at"].as_str().expect("a time");
    let past = done(url, &format!("show --as-of {then} --as alice")).await;
    assert_eq!((&past["balance"], &past["version"]), (&json!("10.00"), &json!(1)));
    refused(url, "show alice --as-of 2020-01-01T00:00:00Z --as alice", 3, "wallet_not_found").await;

    let id = sent["id"].as_str().expect("an id");
    refused(url, &format!("show {id} --as-of {then} --as alice"), 2, "is a transaction").await;
    refused(url, &format!("reverse {id} --as alice"), 3, "(missing_scope)").await;
    let token = stack.token("root", "wallets:admin wallets:read");
    let root = Client::with(None, url, Some(token)).expect("a client");
    let asked = json_of(run_by(&root, &format!("reverse {id} --dry-run")).await);
    assert_eq!((&asked["type"], &asked["dry_run"]), (&json!("reversal"), &json!(true)));
    let back = json_of(run_by(&root, &format!("reverse {id} --reference mistake")).await);
    assert_eq!((&back["parent_id"], &back["reference"]), (&json!(id), &json!("mistake")));
    check("reverse", run_by(&root, &format!("reverse {id}")).await, 3, "(already_reversed)");
    done(url, &format!("withdraw 10 {} --as alice", opened["id"].as_str().expect("an id"))).await;
    let deposit = deposit["id"].as_str().expect("an id");
    check("reverse", run_by(&root, &format!("reverse {deposit}")).await, 3, "(insufficient_funds)");
    json_of(run_by(&root, &format!("reverse {deposit} --allow-overdraft")).await);
    stack.stop().await;
}

#[tokio::test]
async fn what_is_queued_is_executed_later_and_asked_for_by_its_id() {
    let stack = started(&["alice"]).await;
    let url = stack.url();
    let queued = done(url, "deposit 3 --queued --key q --as alice").await;
    assert_eq!(queued["status"], "queued");
    refused(url, "open EUR --credits batched --as bob", 3, "(missing_scope)").await;
    stack.deliver(true);
    let show = format!("show {} --as alice", queued["id"].as_str().expect("an id"));
    until("executed", async || done(url, &show).await["status"] == "posted").await;
    let root = Client::with(None, url, Some(stack.token("bob", "wallets:admin wallets:write"))).expect("a client");
    assert_eq!(json_of(run_by(&root, "open EUR --credits batched").await)["credits"], "batched");
    stack.stop().await;
}

#[tokio::test]
async fn a_long_statement_is_read_page_by_page() {
    let stack = started(&["alice"]).await;
    for _ in 0..101 {
        done(stack.url(), "deposit 1 --as alice").await;
    }
    for (line, count) in
        [("statement --all --as alice", 102), ("statement --limit 101 --as alice", 101), ("statement --as alice", 20)]
    {
        assert_eq!(done(stack.url(), line).await["entries"].as_array().map(Vec::len), Some(count), "{line}");
    }
    stack.stop().await;
}

#[tokio::test]
async fn what_is_refused_or_unclear_is_told_with_its_own_exit_code() {
    let stack = started(&[]).await;
    let url = stack.url();
    refused(url, "deposit 1 --as alice", 2, "the caller has no wallet; `wallet open` opens one").await;
    let first = done(url, "open EUR --as alice").await;
    let first = first["id"].as_str().expect("an id");
    done(url, "open EUR --as bob").await;
    refused(
        url,
        "send 5 bob --as alice",
        3,
        "has too little. (insufficient_funds)\n  0.00 is available, 5.00 was asked for",
    )
    .await;
    refused(url, "send 5 carol --as alice", 2, "carol has no wallet in EUR").await;
    refused(url, "deposit 1.005 --as alice", 3, "(invalid_amount)").await;
    refused(url, &format!("show {first} --as bob"), 2, "may not see").await;
    done(url, &format!("deposit 1 {first} --currency EUR --as bob")).await;
    refused(url, "send 5 txn_00000000000000000000000000000000 --as alice", 2, "is a transaction").await;
    done(url, "open USD --as alice").await;
    refused(url, "deposit 1 --as alice", 2, "the caller has 2 of them; say which, by id or as name/EUR:\n  wal_").await;
    done(url, "deposit 1 alice/USD --as alice").await;
    done(url, "deposit 1 --currency USD --as alice").await;
    stack.stop().await;

    for (line, told) in [
        ("deposit ten --as alice", "write it as 5 or 12.50"),
        ("deposit -5 --as alice", "unexpected argument"),
        ("open XXX --as alice", "is not an ISO 4217 currency"),
        ("show wal_1 --as alice", "32 lower-case hexadecimal digits"),
        ("send 5 bob --label x --as alice", "write it as name=text"),
        ("statement --limit 0 --as alice", "a number from 1 on"),
        ("deposit 1 --key \"x --as alice", "send the key bare"),
        ("deposit 1 --reference \u{7} --as alice", "printable"),
        ("deposit 1 --queued --dry-run --as alice", "cannot be used with"),
        ("send 1 bob --queued --if-version 1 --as alice", "cannot be used with"),
        ("hold 1 --queued --as alice", "unexpected argument"),
        ("hold 1 --expires-in soon --as alice", "write it as 90s, 30m or 12h"),
        ("capture bob --as alice", "32 lower-case hexadecimal digits"),
        ("capture txn_00000000000000000000000000000000 --keep-rest --as alice", "required"),
        ("void --as alice", "required"),
        ("reverse wal_00000000000000000000000000000000 --as alice", "must be \"txn_\""),
        ("pay --as alice", "required"),
        ("pay bob --as alice", "write it as bob=5"),
        ("pay bob=five --as alice", "write it as 5 or 12.50"),
        ("pay bob=5 --file x --as alice", "cannot be used with"),
        ("show bob --reference x --as alice", "cannot be used with"),
        ("show bob --as-of yesterday --as alice", "invalid value"),
        ("holds --limit 1 --all --as alice", "cannot be used with"),
        ("open EUR --credits later --as alice", "immediate, batched"),
    ] {
        refused("http://127.0.0.1:1", line, 2, told).await;
    }
    refused("http://127.0.0.1:1", "show --as alice", 1, "Start `cargo wallet up`").await;
}
