//! `If-Match` on a movement: the version of the wallet whose owner moves money, or that is paid into.

use super::{TestApp, across, eur, send};

#[tokio::test]
async fn it_pins_the_version_and_moves_nothing_when_it_is_another() {
    let (app, alice, bob) = TestApp::with_two("10").await;
    let movements = [
        (format!("/v1/wallets/{alice}/deposits"), eur("1"), "11.00"),
        (format!("/v1/wallets/{alice}/withdrawals"), eur("2"), "9.00"),
        ("/v1/transfers".to_owned(), across(&alice, &bob, "3"), "6.00"),
    ];
    for (version, (path, body, balance)) in (1..).zip(&movements) {
        let pinned =
            |version: u64| app.posting("alice", path, &app.key(), body).header("if-match", format!("\"{version}\""));
        // Bob is at 0.
        for other in [version - 1, version + 6, 0] {
            send(pinned(other)).await.check_problem(412, "version_mismatch");
        }
        send(pinned(version)).await.check(201);
        send(pinned(version)).await.check_problem(412, "version_mismatch");
        assert_eq!(app.balance(&alice).await, *balance, "{path}");
    }
}
