//! The whole system, started and stopped: data in use, and wrong settings.

use super::*;

async fn start(options: Options) -> Stack {
    Stack::start(options).await.expect("started")
}

#[tokio::test]
async fn one_data_path_has_one_stack() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { data: Some(directory.path().join("wallet.db")), ..Options::default() };
    let first = start(options.clone()).await;
    let error = Stack::start(options.clone()).await.err().expect("in use").to_string();
    assert!(error.contains("in use by another"), "{error}");
    first.stop().await;
    start(options).await.stop().await;
}

#[tokio::test]
async fn a_wrong_setting_is_named() {
    let env = BTreeMap::from([("LOCKING_STRATEGY".to_owned(), "hopeful".to_owned())]);
    let error = Stack::start(Options { env, ..Options::default() }).await.err().expect("refused");
    assert!(format!("{error:#}").contains("LOCKING_STRATEGY"), "{error:#}");
}
