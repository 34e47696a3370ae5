//! The commands as they are typed, against a running stack, and against servers that answer badly.

use clap::Parser as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use wallet_stack::{Options, Stack};

use super::shown::Style;
use super::*;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

/// What comes of a line such as `send 5 bob --as alice`.
async fn run(url: &str, line: &str) -> Result<Shown, Failure> {
    let words = ["wallet"].into_iter().chain(line.split(' ')).chain(["--url", url]);
    answer(Line::try_parse_from(words).map_err(|error| Failure::Unclear(error.to_string()))?.verb).await.1
}

#[track_caller]
fn json_of(shown: Result<Shown, Failure>) -> Value {
    serde_json::from_str(&shown.expect("done").json()).expect("JSON")
}

#[track_caller]
fn check(failure: Result<Shown, Failure>, number: u8, told: &str) {
    let Err(failure) = failure else { panic!("it was done") };
    assert_eq!(failure.number(), number, "{failure}");
    assert!(failure.to_string().contains(told), "{failure}");
}

async fn started() -> Stack {
    Stack::start(Options { deliver: false, ..Options::default() }).await.expect("started")
}

#[tokio::test]
async fn money_comes_in_moves_across_and_goes_out() {
    let stack = started().await;
    let url = stack.url();
    let alice = json_of(run(url, "open eur --as alice --ceiling 1000 --label shop=7").await);
    assert_eq!((&alice["owner"], &alice["metadata"]), (&json!("alice"), &json!({"shop": "7"})));
    let bob = json_of(run(url, "open EUR --as bob").await);

    let deposit = json_of(run(url, "deposit 100 --as alice --reference salary").await);
    assert_eq!(
        (&deposit["type"], &deposit["amount"], &deposit["reference"]),
        (&json!("deposit"), &json!("100.00"), &json!("salary"))
    );
    let sent = json_of(run(url, "send 5 bob --as alice --key k1").await);
    assert_eq!((&sent["legs"][0]["wallet_id"], &sent["legs"][1]["wallet_id"]), (&alice["id"], &bob["id"]));
    let again = json_of(run(url, "send 5 bob --as alice --key k1").await);
    assert_eq!(again, sent, "the first answer again");
    let by_id = format!(
        "send 1.50 {} --from alice/EUR --if-version 2 --strategy pessimistic --as alice",
        bob["id"].as_str().expect("an id")
    );
    json_of(run(url, &by_id).await);
    json_of(run(url, "withdraw 3 --as bob").await);

    let Shown::Many(_, wallets) = run(url, "show --as alice").await.expect("shown") else { panic!("other things") };
    assert_eq!((wallets.len(), &wallets[0]["balance"]), (1, &json!("93.50")));
    assert_eq!(json_of(run(url, "show bob --as bob").await)["balance"], "3.50");
    assert_eq!(
        json_of(run(url, &format!("show {} --as bob", sent["id"].as_str().expect("an id"))).await)["id"],
        sent["id"]
    );
    let amounts = |entries: Value| {
        entries["entries"].as_array().expect("entries").iter().map(|entry| entry["amount"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(amounts(json_of(run(url, "statement --limit 2 --as alice").await)), ["-1.50", "-5.00"]);
    assert_eq!(amounts(json_of(run(url, "statement alice --all --as alice").await)).len(), 4);
    stack.stop().await;
}

#[tokio::test]
async fn many_are_paid_at_once_from_words_and_from_a_file() {
    let stack = started().await;
    let url = stack.url();
    for name in ["alice", "bob", "carol"] {
        json_of(run(url, &format!("open EUR --as {name}")).await);
    }
    json_of(run(url, "deposit 100 --as alice").await);
    let paid = json_of(run(url, "pay bob=5 carol/EUR=7.50 --as alice --reference wages --key p1").await);
    assert_eq!((&paid["type"], &paid["amount"]), (&json!("payout"), &json!("12.50")));
    assert_eq!(json_of(run(url, "pay bob=5 carol/EUR=7.50 --as alice --reference wages --key p1").await), paid);
    let found = json_of(run(url, "show --reference wages --as alice").await);
    assert_eq!(found["transactions"][0]["id"], paid["id"], "found by its reference");
    assert_eq!(json_of(run(url, "show --reference 50%&more+ --as alice").await)["transactions"], json!([]));

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wages.csv");
    let pay = format!("pay --file {} --as alice", file.display());
    let write = |text: &str| std::fs::write(&file, text).expect("written");
    write("\u{feff}destination, amount,reference\r\nbob,1.25,\"May, late\"\r\n\r\ncarol,2,\r\n");
    assert_eq!(json_of(run(url, &pay).await)["amount"], "3.25");
    let entries = json_of(run(url, "statement bob --as bob").await)["entries"].clone();
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
        check(run(url, &pay).await, 2, told);
    }
    write(&many(48));
    check(run(url, &pay).await, 3, "(duplicate_destination)");
    std::fs::remove_file(&file).expect("removed");
    check(run(url, &pay).await, 2, "wages.csv: No such file");
    check(run(url, &format!("pay{} --as alice", " bob=1".repeat(49))).await, 2, "Make 2 payouts of it, each by");
    check(run(url, "pay bob=5 carol=500 --as alice").await, 3, "(insufficient_funds)");
    assert_eq!(json_of(run(url, "show --as alice").await)["wallets"][0]["balance"], "84.25", "all or none");
    stack.stop().await;
}

#[tokio::test]
async fn what_is_held_is_captured_in_parts_or_given_up() {
    let stack = started().await;
    let url = stack.url();
    for name in ["alice", "shop"] {
        json_of(run(url, &format!("open EUR --as {name}")).await);
    }
    json_of(run(url, "deposit 100 --as alice").await);
    let asked = json_of(run(url, "hold 30 shop --dry-run --as alice").await);
    assert_eq!((&asked["dry_run"], &asked["id"]), (&json!(true), &json!(null)));
    let held = json_of(run(url, "hold 30 shop --expires-in 1h30m --reference room --as alice").await);
    let hold = held["id"].as_str().expect("an id");
    assert_eq!((&held["status"], &held["remaining"]), (&json!("active"), &json!("30.00")));
    let time = |name: &str| held[name].as_str().expect("a time").parse::<wallet_domain::Timestamp>().expect("a time");
    assert_eq!(time("expires_at").duration_since(time("created_at")).as_secs(), 5400);

    check(run(url, &format!("capture {hold} 5 --as alice")).await, 3, "(hold_not_found)");
    let capture = format!("capture {hold} 12.50 --keep-rest --as shop");
    assert_eq!(json_of(run(url, &format!("{capture} --dry-run")).await)["dry_run"], true);
    assert_eq!(json_of(run(url, &capture).await)["amount"], "12.50");
    assert_eq!(json_of(run(url, &format!("holds {hold} --as alice")).await)["remaining"], "17.50");
    check(run(url, &format!("capture {hold} 20 --as shop")).await, 3, "(capture_exceeds_hold)");
    assert_eq!(json_of(run(url, &format!("void {hold} --as shop")).await)["type"], "void");
    check(run(url, &format!("void {hold} --as shop")).await, 3, "(hold_not_active)");

    let out = json_of(run(url, "hold 10 --as alice").await);
    let out = out["id"].as_str().expect("an id");
    assert_eq!(json_of(run(url, &format!("capture {out} --as alice")).await)["amount"], "10.00");
    let holds = run(url, "holds --as alice").await.expect("holds");
    let row = format!("{hold}\tvoided\t30.00\t12.50\t0.00\tEUR\t");
    assert!(holds.text(Style::Tabs).lines().nth(1).is_some_and(|line| line.starts_with(&row)), "{holds:?}");
    assert_eq!(json_of(run(url, "holds alice --limit 1 --as alice").await)["holds"].as_array().map(Vec::len), Some(1));
    check(run(url, "hold 1 --expires-in 5s --as alice").await, 3, "expires_in");
    stack.stop().await;
}

#[tokio::test]
async fn a_dry_run_and_a_reversal_and_a_look_back() {
    let stack = started().await;
    let url = stack.url();
    let opened = json_of(run(url, "open EUR --as alice").await);
    json_of(run(url, "open EUR --as bob").await);
    let deposit = json_of(run(url, "deposit 10 --as alice").await);
    for line in ["deposit 1", "withdraw 1", "send 1 bob", "pay bob=1"] {
        let asked = json_of(run(url, &format!("{line} --dry-run --as alice")).await);
        assert_eq!((&asked["dry_run"], &asked["id"], &asked["status"]), (&json!(true), &json!(null), &json!("posted")));
    }
    check(run(url, "send 11 bob --dry-run --as alice").await, 3, "(insufficient_funds)");
    let key = "send 4 bob --key k --as alice";
    let sent = json_of(run(url, key).await);
    assert_eq!(json_of(run(url, &format!("{key} --dry-run")).await)["id"], sent["id"], "what became of the key");
    let now = json_of(run(url, "show alice --as alice").await);
    assert_eq!((&now["balance"], &now["version"]), (&json!("6.00"), &json!(2)), "dry runs wrote nothing");

    let then = deposit["created_at"].as_str().expect("a time");
    let past = json_of(run(url, &format!("show --as-of {then} --as alice")).await);
    assert_eq!((&past["balance"], &past["version"]), (&json!("10.00"), &json!(1)));
    check(run(url, "show alice --as-of 2020-01-01T00:00:00Z --as alice").await, 3, "wallet_not_found");

    let id = sent["id"].as_str().expect("an id");
    check(run(url, &format!("show {id} --as-of {then} --as alice")).await, 2, "is a transaction");
    check(run(url, &format!("reverse {id} --as alice")).await, 3, "(missing_scope)");
    let token = stack.token("root", "wallets:admin wallets:read");
    let root = Client::with(None, url, Some(token)).expect("a client");
    let reverse = |line: String| {
        let words = ["wallet".to_owned()].into_iter().chain(line.split(' ').map(str::to_owned)).collect::<Vec<_>>();
        let Verb::Reverse(Asked { verb, .. }) = Line::try_parse_from(words).expect("a line").verb else {
            panic!("another verb")
        };
        verb
    };
    let asked = json_of(reverse(format!("reverse {id} --dry-run")).run(&root).await);
    assert_eq!((&asked["type"], &asked["dry_run"]), (&json!("reversal"), &json!(true)));
    let back = json_of(reverse(format!("reverse {id} --reference mistake")).run(&root).await);
    assert_eq!((&back["parent_id"], &back["reference"]), (&json!(id), &json!("mistake")));
    check(reverse(format!("reverse {id}")).run(&root).await, 3, "(already_reversed)");
    json_of(run(url, &format!("withdraw 10 {} --as alice", opened["id"].as_str().expect("an id"))).await);
    let deposit = deposit["id"].as_str().expect("an id");
    check(reverse(format!("reverse {deposit}")).run(&root).await, 3, "(insufficient_funds)");
    json_of(reverse(format!("reverse {deposit} --allow-overdraft")).run(&root).await);
    stack.stop().await;
}

#[tokio::test]
async fn what_is_queued_is_executed_later_and_asked_for_by_its_id() {
    let stack = started().await;
    let url = stack.url();
    json_of(run(url, "open EUR --as alice").await);
    let queued = json_of(run(url, "deposit 3 --queued --key q --as alice").await);
    assert_eq!(queued["status"], "queued");
    check(run(url, "open EUR --credits batched --as bob").await, 3, "(missing_scope)");
    stack.deliver(true);
    let show = format!("show {} --as alice", queued["id"].as_str().expect("an id"));
    let posted = async {
        while json_of(run(url, &show).await)["status"] != "posted" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), posted).await.expect("executed");
    let root = Client::with(None, url, Some(stack.token("bob", "wallets:admin wallets:write"))).expect("a client");
    let line = Line::try_parse_from("wallet open EUR --credits batched".split(' ')).expect("a line");
    let Verb::Open(Asked { verb: open, .. }) = line.verb else { panic!("another verb") };
    assert_eq!(json_of(open.run(&root).await)["credits"], "batched");
    stack.stop().await;
}

#[tokio::test]
async fn a_long_statement_is_read_page_by_page() {
    let stack = started().await;
    json_of(run(stack.url(), "open EUR --as alice").await);
    for _ in 0..101 {
        json_of(run(stack.url(), "deposit 1 --as alice").await);
    }
    for (line, count) in
        [("statement --all --as alice", 102), ("statement --limit 101 --as alice", 101), ("statement --as alice", 20)]
    {
        assert_eq!(json_of(run(stack.url(), line).await)["entries"].as_array().map(Vec::len), Some(count), "{line}");
    }
    stack.stop().await;
}

#[tokio::test]
async fn what_is_refused_or_unclear_is_told_with_its_own_exit_code() {
    let stack = started().await;
    let url = stack.url();
    check(run(url, "deposit 1 --as alice").await, 2, "the caller has no wallet; `wallet open` opens one");
    let first = json_of(run(url, "open EUR --as alice").await);
    let first = first["id"].as_str().expect("an id");
    json_of(run(url, "open EUR --as bob").await);
    check(
        run(url, "send 5 bob --as alice").await,
        3,
        "has too little. (insufficient_funds)\n  0.00 is available, 5.00 was asked for",
    );
    check(run(url, "send 5 carol --as alice").await, 2, "carol has no wallet in EUR");
    check(run(url, "deposit 1.005 --as alice").await, 3, "(invalid_amount)");
    check(run(url, &format!("show {first} --as bob")).await, 2, "may not see");
    json_of(run(url, &format!("deposit 1 {first} --currency EUR --as bob")).await);
    check(run(url, "send 5 txn_00000000000000000000000000000000 --as alice").await, 2, "is a transaction");
    json_of(run(url, "open USD --as alice").await);
    check(
        run(url, "deposit 1 --as alice").await,
        2,
        "the caller has 2 of them; say which, by id or as name/EUR:\n  wal_",
    );
    json_of(run(url, "deposit 1 alice/USD --as alice").await);
    json_of(run(url, "deposit 1 --currency USD --as alice").await);
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
        check(run("http://127.0.0.1:1", line).await, 2, told);
    }
    check(run("http://127.0.0.1:1", "show --as alice").await, 1, "Start `cargo wallet up`");
}

#[test]
fn a_token_goes_to_whom_it_is_for() {
    let alice = || Some("alice".parse().expect("an owner"));
    let refused = |caller, url, token: Option<&str>| {
        let failure = Client::with(caller, url, token.map(str::to_owned)).err().expect("refused");
        assert_eq!(failure.number(), 2);
        failure.to_string()
    };
    assert!(refused(None, "http://127.0.0.1:9000", None).contains("say who asks: --as alice"));
    assert!(refused(alice(), "https://wallets.example.com", None).contains("this machine alone"));
    assert!(refused(alice(), "https://127.0.0.1.example.com", None).contains("this machine alone"));
    assert!(refused(None, "https://wallets.example.com", None).contains("WALLET_TOKEN"));
    assert!(refused(None, "http://wallets.example.com", Some("t")).contains("https alone"));
    assert!(refused(None, "ftp://127.0.0.1", Some("t")).contains("is written as"));
    for (caller, url) in
        [(None, "https://wallets.example.com/"), (alice(), "http://[::1]:9000"), (None, "http://localhost:1")]
    {
        assert!(Client::with(caller, url, Some("t".to_owned())).is_ok(), "{url}");
    }
}

/// A server that answers everything with `answer`, and closes.
async fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = tokio::io::AsyncReadExt::read(&mut connection, &mut head).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    url
}

const WALLET: &str = "deposit 1 wal_00000000000000000000000000000001 --currency EUR --key k --as alice";

#[tokio::test]
async fn bad_answers_are_told_apart() {
    check(run(&answering("").await, WALLET).await, 5, "It may have been done. The same again, with --key 'k', tells");
    check(run(&answering("").await, "show --as alice").await, 1, "does not answer");
    check(run(&answering("").await, &format!("{WALLET} --dry-run")).await, 1, "does not answer");
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{";
    check(run(&answering(cut).await, "show --as alice").await, 1, "broke off");
    check(run(&answering(cut).await, WALLET).await, 5, "--key 'k'");
    check(
        run(&answering("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno").await, WALLET).await,
        5,
        "--key 'k'",
    );
    check(run(&answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await, WALLET).await, 1, "is not this API");
    let busy = "HTTP/1.1 409 Conflict\r\ncontent-length: 71\r\n\r\n{\"code\":\"concurrency_conflict\",\"detail\":\"Busy.\\u001b[2J\",\"retryable\":true}";
    let busy = busy.replace("71", &busy.split("\r\n\r\n").nth(1).expect("a body").len().to_string());
    let told = run(&answering(Box::leak(busy.into_boxed_str())).await, WALLET).await;
    check(told, 4, "Busy.\u{fffd}[2J (concurrency_conflict)\n  Nothing has moved.");
    let lost = r#"{"code":"outcome_unknown","detail":"Lost.","retryable":true}"#;
    let lost = format!("HTTP/1.1 503 Unavailable\r\ncontent-length: {}\r\n\r\n{lost}", lost.len());
    check(run(&answering(Box::leak(lost.into_boxed_str())).await, WALLET).await, 5, "tells what has come of it");
}

#[test]
fn people_get_tables_and_programs_get_tabs() {
    let entry = json!({"version": 3, "created_at": "t", "type": "transfer", "amount": "-5.10", "balance_after": "7.52",
        "counterparty": null, "reference": "\u{1b}[2Jorder", "transaction_id": "txn_1"});
    let shown = Shown::Many(&shown::ENTRIES, vec![entry]);
    assert_eq!(shown.text(Style::Tabs), "3\tt\ttransfer\t-5.10\t7.52\t\t\u{fffd}[2Jorder\ttxn_1");
    let table = shown.text(Style::Table);
    assert!(table.contains("amount") && !table.contains('\u{1b}'), "{table}");
    let coloured = shown.text(Style::Colours);
    assert!(coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}[2J"), "{coloured}");
    let failed = json!({"id": "txn_1", "status": "failed", "legs": [], "reason": {"code": "wallet_frozen", "detail": "Frozen."}});
    assert_eq!(Shown::One(failed).text(Style::Tabs), "id\ttxn_1\nstatus\tfailed\nFrozen.");
}

#[tokio::test]
async fn movements_are_followed_as_they_come() {
    let stack = started().await;
    json_of(run(stack.url(), "open EUR --as alice").await);
    let client = Client::with(Some("alice".parse().expect("an owner")), stack.url(), None).expect("a client");
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let following =
        tokio::spawn(async move { watch::follow(&client, |event| drop(sender.send(event.clone()))).await.err() });
    let event = async {
        loop {
            json_of(run(stack.url(), "deposit 2.50 --as alice").await);
            if let Ok(Some(event)) = tokio::time::timeout(std::time::Duration::from_millis(200), seen.recv()).await {
                return event;
            }
        }
    };
    let event: Value = tokio::time::timeout(std::time::Duration::from_secs(10), event).await.expect("in time");
    assert_eq!(
        (&event["type"], &event["amount"], &event["status"]),
        (&json!("deposit"), &json!("2.5"), &json!("posted"))
    );
    following.abort();
    stack.stop().await;
}
