//! Checkpoints of the scheduled audit, in a bucket: a small stand-in of S3 on this machine, of the three requests that are sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::json;
use wallet_audit::bucket::Bucket;
use wallet_audit::function::Auditor;
use wallet_dynamodb::Ledger;

use super::book::{Book, ledger_at, put};
use super::function::{AMPLE, auditor, called};
use crate::ledger::Bench;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Objects by key, and what is wrong with requests.
#[derive(Clone, Default)]
struct Store {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    url: String,
}

impl Store {
    async fn start() -> Store {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let store = Store { url, ..Store::default() };
        let served = store.clone();
        let app = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            served.answer(&method, &uri, &headers, body)
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        store
    }

    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> (StatusCode, Bytes) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signed = header("authorization");
        let scope = signed.starts_with("AWS4-HMAC-SHA256 Credential=AKID/") && signed.contains("/eu-central-1/s3/");
        if !scope || header("x-amz-content-sha256").len() != 64 || header("x-amz-security-token") != "token" {
            return (StatusCode::FORBIDDEN, "<Code>AccessDenied</Code>".into());
        }
        let mut objects = self.objects.lock().expect("nobody panics with it");
        let key = uri.path().trim_start_matches("/audits/").to_owned();
        match (method, uri.query()) {
            (&Method::GET, Some(query)) => {
                let prefix =
                    query.strip_prefix("list-type=2&max-keys=1&prefix=checkpoints%2F").expect("what it may list");
                let prefix = format!("checkpoints/{}", prefix.replace("%2F", "/"));
                let first = objects.keys().find(|key| key.starts_with(&prefix));
                let first = first.map_or(String::new(), |key| format!("<Contents><Key>{key}</Key></Contents>"));
                (StatusCode::OK, format!("<ListBucketResult>{first}</ListBucketResult>").into())
            }
            (&Method::GET, None) => (StatusCode::OK, objects[&key].clone()),
            (&Method::PUT, None) if !signed.contains("if-none-match") || header("if-none-match") != "*" => {
                (StatusCode::FORBIDDEN, "<Code>AccessDenied</Code>".into())
            }
            // A checksum of 32 bytes, without which a bucket with a lock refuses.
            (&Method::PUT, None) if header("x-amz-checksum-sha256").len() != 44 => {
                (StatusCode::BAD_REQUEST, "<Code>InvalidRequest</Code>".into())
            }
            (&Method::PUT, None) if objects.contains_key(&key) => {
                (StatusCode::PRECONDITION_FAILED, "<Code>PreconditionFailed</Code>".into())
            }
            (&Method::PUT, None) => {
                objects.insert(key, body);
                (StatusCode::OK, Bytes::new())
            }
            _ => (StatusCode::METHOD_NOT_ALLOWED, Bytes::new()),
        }
    }

    fn keys(&self) -> Vec<String> {
        self.objects.lock().expect("nobody panics with it").keys().cloned().collect()
    }

    /// The audit's function at `now`, with the bucket of this store.
    fn auditor(&self, ledger: Ledger) -> Auditor {
        let credentials = Credentials::new("AKID", "secret", Some("token".to_owned()), None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        let bucket = Bucket::new("audits", Some(&self.url), "eu-central-1", credentials, ledger.table());
        auditor(ledger, None).expect("good settings").with_bucket(bucket)
    }
}

async fn at(store: &Store, bench: &Bench, book: &Book, hours: u32) -> Result<serde_json::Value, lambda_runtime::Error> {
    called(&store.auditor(ledger_at(bench, book.now + hours * HOUR)), AMPLE).await
}

#[tokio::test]
async fn each_run_proves_the_newest_checkpoint_and_adds_one() {
    let (mut book, store) = (Book::new("kept"), Store::start().await);
    let alice = book.open("alice", "0", "1000");
    let bench = book.table().await;
    let answer = at(&store, &bench, &book, 1).await.expect("it got to its end");
    assert_eq!((&answer["clean"], &answer["checkpoint"]["entries"]), (&json!(true), &json!(1)), "{answer}");
    at(&store, &bench, &book, 2).await.expect("it got to its end");
    let keys = store.keys();
    assert!(
        keys.len() == 2
            && keys[0].starts_with(&format!("checkpoints/{}/82", bench.database.table()))
            && keys[0].ends_with("-2026-11-21.json"),
        "{keys:?}"
    );
    // A movement at a time that the checkpoints cover.
    book.deposit(alice, "5");
    put(&bench, book.items.clone()).await;
    let answer = at(&store, &bench, &book, 3).await.expect("findings are no failure");
    assert_eq!(
        (&answer["findings"][0]["check"], &answer["checkpoint"]),
        (&json!("checkpoint"), &json!(null)),
        "{answer}"
    );
    assert_eq!(store.keys(), keys, "nothing is added");
}

#[tokio::test]
async fn a_bucket_that_cannot_be_used_fails_the_run() {
    let (mut book, store) = (Book::new("kept"), Store::start().await);
    book.open("alice", "0", "1000");
    let bench = book.table().await;
    at(&store, &bench, &book, 1).await.expect("it got to its end");
    at(&store, &bench, &book, 1).await.expect("the same moment again is proved, and nothing is to be added");
    let key = store.keys().remove(0);
    store.objects.lock().expect("nobody panics with it").insert(key, Bytes::from_static(b"{}"));
    let error = at(&store, &bench, &book, 2).await.expect_err("it cannot go by it").to_string();
    assert!(error.contains("no whole checkpoint"), "{error}");
    store.objects.lock().expect("nobody panics with it").clear();
    let nobody = Store { url: format!("{}/elsewhere", store.url), ..store.clone() };
    let stranger = SharedCredentialsProvider::new(Credentials::new("OTHER", "secret", None, None, "test"));
    let bucket = Bucket::new("audits", Some(&nobody.url), "eu-central-1", stranger, bench.database.table());
    let denied = auditor(ledger_at(&bench, book.now + HOUR), None).expect("good settings").with_bucket(bucket);
    let error = called(&denied, AMPLE).await.expect_err("it may not").to_string();
    assert!(error.contains("403") && error.contains("AccessDenied"), "{error}");
}
