//! `GET /v1/events` over a real connection: it stays open in silence, and who hangs up harms nobody.
//!
//! Who is told what is tested beside the code, without a socket.

use std::time::Duration;

use reqwest::{Method, Response};
use wallet_stack::Options;

use super::{PATIENCE, TestApp};

async fn listen(app: &TestApp, caller: &str) -> Response {
    let response = app.request(caller, Method::GET, "/v1/events").send().await.expect("the gateway answers");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response
}

/// Reads on until what was read holds `wanted`; answers all of it.
async fn read_until(stream: &mut Response, wanted: &str) -> String {
    let mut read = String::new();
    let reading = async {
        while !read.contains(wanted) {
            let chunk = stream.chunk().await.expect("the connection holds").expect("the stream goes on");
            read.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("it comes in time");
    read
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_and_goes_on() {
    let (app, wallet) = TestApp::with_one("0").await;
    let start = tokio::time::Instant::now();
    let mut stream = listen(&app, "alice").await;
    tokio::time::pause();
    // Nothing happens for so long that a proxy would hang up: a comment comes, and another.
    for seconds in [15, 30] {
        let chunk = stream.chunk().await.expect("the connection holds").expect("the stream goes on");
        assert_eq!(&chunk[..], b":\n\n");
        assert!(start.elapsed() >= Duration::from_secs(seconds), "after {:?}", start.elapsed());
    }
    tokio::time::resume();
    let deposit = app.deposit("bank", &wallet, "10").await.check(201);
    read_until(&mut stream, deposit.text("id")).await;
}

#[tokio::test]
async fn who_hangs_up_harms_nobody() {
    let app = TestApp::with(Options::default()).await;
    let wallet = app.open("alice").await;
    let mut stays = listen(&app, "alice").await;
    let mut told = String::new();
    for round in 0..10 {
        // One hangs up at once, one in the middle of an event, one when he has it.
        drop(listen(&app, "alice").await);
        let (mut begun, mut whole) = (listen(&app, "alice").await, listen(&app, "alice").await);
        let deposit = app.deposit("bank", &wallet, "100").await.check(201);
        begun.chunk().await.expect("the connection holds").expect("the stream goes on");
        drop(begun);
        read_until(&mut whole, deposit.text("id")).await;
        drop(whole);
        let read = read_until(&mut stays, deposit.rebate()).await;
        assert!(read.contains(deposit.text("id")), "round {round}: the deposit is told before its rebate");
        told.push_str(&read);
    }
    assert_eq!(told.matches("event: wallet.transaction").count(), 20, "each once: {told}");
    assert_eq!(app.balance(&wallet).await, "1010.00");
    let begun = std::time::Instant::now();
    app.stack.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "nobody holds it up");
}
