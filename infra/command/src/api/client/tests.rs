//! To whom a token goes, and servers that answer badly.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::api::testing::refused;

const DEPOSIT: &str = "deposit 1 wal_00000000000000000000000000000001 --currency EUR --key k --as alice";

#[test]
fn a_token_goes_to_whom_it_is_for() {
    let alice = || Some("alice".parse().expect("an owner"));
    for (caller, url, token, told) in [
        (None, "http://127.0.0.1:9000", None, "say who asks: --as alice"),
        (alice(), "https://wallets.example.com", None, "this machine alone"),
        (alice(), "https://127.0.0.1.example.com", None, "this machine alone"),
        (None, "https://wallets.example.com", None, "WALLET_TOKEN"),
        (None, "http://wallets.example.com", Some("t"), "https alone"),
        (None, "ftp://127.0.0.1", Some("t"), "is written as"),
    ] {
        let failure = Client::with(caller, url, token.map(str::to_owned)).err().expect("refused");
        assert!(failure.number() == 2 && failure.to_string().contains(told), "{url}: {failure}");
    }
    for (caller, url) in
        [(None, "https://wallets.example.com/"), (alice(), "http://[::1]:9000"), (None, "http://localhost:1")]
    {
        assert!(Client::with(caller, url, Some("t".to_owned())).is_ok(), "{url}");
    }
}

/// A server that answers everything with `answer`, and closes.
async fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = connection.read(&mut head).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn bad_answers_are_told_apart() {
    let (show, dry_run) = ("show --as alice", format!("{DEPOSIT} --dry-run"));
    let whole = |status: &str, body: &str| format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned();
    let busy = r#"{"code":"concurrency_conflict","detail":"Busy.\u001b[2J","retryable":true}"#;
    let lost = r#"{"code":"outcome_unknown","detail":"Lost.","retryable":true}"#;
    for (answer, line, number, told) in [
        (String::new(), DEPOSIT, 5, "It may have been done. The same again, with --key 'k', tells"),
        (String::new(), show, 1, "does not answer"),
        (String::new(), &dry_run, 1, "does not answer"),
        (cut.clone(), show, 1, "broke off"),
        (cut, DEPOSIT, 5, "--key 'k'"),
        (whole("502 Bad Gateway", "no"), DEPOSIT, 5, "--key 'k'"),
        (whole("200 OK", "hi"), DEPOSIT, 1, "is not this API"),
        (whole("409 Conflict", busy), DEPOSIT, 4, "Busy.\u{fffd}[2J (concurrency_conflict)\n  Nothing has moved."),
        (whole("503 Unavailable", lost), DEPOSIT, 5, "tells what has come of it"),
    ] {
        refused(&answering(answer).await, line, number, told).await;
    }
}
