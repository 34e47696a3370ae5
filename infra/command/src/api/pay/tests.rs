//! Payments from words and from a file, and what is wrong with a file.

use serde_json::json;

use crate::api::testing::{done, refused, started};

#[tokio::test]
async fn many_are_paid_at_once_from_words_and_from_a_file() {
    let stack = started(&["alice", "bob", "carol"]).await;
    let url = stack.url();
    done(url, "deposit 100 --as alice").await;
    let paid = done(url, "pay bob=5 carol/EUR=7.50 --as alice --reference wages --key p1").await;
    assert_eq!((&paid["type"], &paid["amount"]), (&json!("payout"), &json!("12.50")));
    assert_eq!(done(url, "pay bob=5 carol/EUR=7.50 --as alice --reference wages --key p1").await, paid);
    let found = done(url, "show --reference wages --as alice").await;
    assert_eq!(found["transactions"][0]["id"], paid["id"], "found by its reference");
    assert_eq!(done(url, "show --reference 50%&more+ --as alice").await["transactions"], json!([]));

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wages.csv");
    let pay = format!("pay --file {} --as alice", file.display());
    let write = |text: &str| std::fs::write(&file, text).expect("written");
    write("\u{feff}destination, amount,reference\r\nbob,1.25,\"May, late\"\r\n\r\ncarol,2,\r\n");
    assert_eq!(done(url, &pay).await["amount"], "3.25");
    let entries = done(url, "statement bob --as bob").await["entries"].clone();
    assert_eq!((&entries[0]["amount"], &entries[0]["reference"]), (&json!("1.25"), &json!("May, late")));

    let many = |count: usize| format!("destination,amount\n{}", "bob,1\n".repeat(count));
    for (text, told) in [
        ("", "line 1: write `destination,amount` or"),
        ("bob,5\n", "not `bob,5`"),
        ("destination,amount,colour\nbob,5,red\n", "not `destination,amount,colour`"),
        ("destination,amount\n", "it has no payments"),
        ("destination,amount\nbob,5\ncarol,\u{1b}[2J\n", "line 3: amount `\u{fffd}[2J`: write it as 5 or 12.50"),
        ("destination,amount\nwal_1,5\n", "line 2: destination `wal_1`: "),
        ("destination,amount\nbob,5,6\n", "line: 2"),
        ("destination,amount\nbob,5\ndave,1\n", "dave has no wallet in EUR"),
        (&many(49), "these are 49 payments, and a payout has 48 at most, all or none of them. Make 2 payouts of it"),
        (&many(49), "sed -n '1p;2,49p' FILE | cargo wallet pay --file - ..\n  sed -n '1p;50,$p' FILE"),
    ] {
        write(text);
        refused(url, &pay, 2, told).await;
    }
    write(&many(48));
    refused(url, &pay, 3, "(duplicate_destination)").await;
    std::fs::remove_file(&file).expect("removed");
    refused(url, &pay, 2, "wages.csv: No such file").await;
    refused(url, &format!("pay{} --as alice", " bob=1".repeat(49)), 2, "Make 2 payouts of it, each by").await;
    refused(url, "pay bob=5 carol=500 --as alice", 3, "(insufficient_funds)").await;
    assert_eq!(done(url, "show --as alice").await["wallets"][0]["balance"], "84.25", "all or none");
    stack.stop().await;
}
