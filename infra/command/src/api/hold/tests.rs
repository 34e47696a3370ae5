//! What is held is captured, given up, listed and refused.

use serde_json::json;

use crate::api::shown::Style;
use crate::api::testing::{done, refused, run, started};

#[tokio::test]
async fn what_is_held_is_captured_in_parts_or_given_up() {
    let stack = started(&["alice", "shop"]).await;
    let url = stack.url();
    done(url, "deposit 100 --as alice").await;
    let asked = done(url, "hold 30 shop --dry-run --as alice").await;
    assert_eq!((&asked["dry_run"], &asked["id"]), (&json!(true), &json!(null)));
    let held = done(url, "hold 30 shop --expires-in 1h30m --reference room --as alice").await;
    let hold = held["id"].as_str().expect("an id");
    assert_eq!((&held["status"], &held["remaining"]), (&json!("active"), &json!("30.00")));
    let time = |name: &str| held[name].as_str().expect("a time").parse::<wallet_domain::Timestamp>().expect("a time");
    assert_eq!(time("expires_at").duration_since(time("created_at")).as_secs(), 5400);

    refused(url, &format!("capture {hold} 5 --as alice"), 3, "(hold_not_found)").await;
    let capture = format!("capture {hold} 12.50 --keep-rest --as shop");
    assert_eq!(done(url, &format!("{capture} --dry-run")).await["dry_run"], true);
    assert_eq!(done(url, &capture).await["amount"], "12.50");
    assert_eq!(done(url, &format!("holds {hold} --as alice")).await["remaining"], "17.50");
    refused(url, &format!("capture {hold} 20 --as shop"), 3, "(capture_exceeds_hold)").await;
    assert_eq!(done(url, &format!("void {hold} --as shop")).await["type"], "void");
    refused(url, &format!("void {hold} --as shop"), 3, "(hold_not_active)").await;

    let out = done(url, "hold 10 --as alice").await;
    let out = out["id"].as_str().expect("an id");
    assert_eq!(done(url, &format!("capture {out} --as alice")).await["amount"], "10.00");
    let holds = run(url, "holds --as alice").await.expect("holds");
    let row = format!("{hold}\tvoided\t30.00\t12.50\t0.00\tEUR\t");
    assert!(holds.text(Style::Tabs).lines().nth(1).is_some_and(|line| line.starts_with(&row)), "{holds:?}");
    assert_eq!(done(url, "holds alice --limit 1 --as alice").await["holds"].as_array().map(Vec::len), Some(1));
    refused(url, "hold 1 --expires-in 5s --as alice", 3, "expires_in").await;
    stack.stop().await;
}
