//! The ledger that the audit's speed is measured on: sound, as long as asked for, with every kind of transaction; and what
//! the audit of it costs.

use wallet_audit::Audit;
use wallet_local::bulk;
use wallet_local::template::Template;
use wallet_local::{Stores, TABLE};

#[tokio::test]
async fn a_generated_ledger_adds_up_at_a_known_cost() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.db");
    let filled = bulk::fill(&path, 2_500, |_| {}).await.expect("the file is filled");
    let stores = Stores::start(&Template::embedded().expect("complete"), Some(&path), 0).await.expect("it is served");
    let ledger = wallet_audit::connect(Some(stores.dynamodb_url()), TABLE).await.expect("an endpoint");
    let report = Audit::new(ledger, 3).table().await.expect("the table answers");
    stores.stop().await;
    assert!(report.is_clean(), "{:#?}", report.findings);
    assert_eq!((report.wallets, report.entries), (filled.wallets, filled.entries));
    assert_eq!(report.transactions, filled.transactions);
    assert!((2_500..2_510).contains(&report.entries), "{}", report.entries);
    let sums = &report.sums["EUR"];
    assert!(sums.total() == 0 && sums.wallets == sums.balances, "{sums:?}");
    assert!(sums.fees > 0 && sums.rebates < 0, "fees are taken and rebates paid: {sums:?}");
    // A scan reads 4 KB, some six items, for a unit; a rebate's deposit and a reversal's relatives are a unit each.
    assert!(report.read_units < filled.items * 2 / 5, "{} units for {} items", report.read_units, filled.items);
}
