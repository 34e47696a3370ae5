//! What a page of a statement costs: the same, however long the statement is, in single rows and in runs of them.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use wallet_domain::WalletId;
use wallet_dynamodb::{Item, Usage};

use super::Bench;

/// Of a fold.
const RUN: u64 = 98;
const PAGE: u32 = 100;

impl Bench {
    /// A run of 98 rows as a fold has left it.
    async fn run_of_rows(&self) -> Item {
        let shop = self.shop().await;
        self.pay_in(shop, RUN as usize, "1").await;
        let first = self.wallet(shop).await.version + 1;
        assert_eq!(self.settle(shop).await.0.folded, RUN);
        self.database.item(&format!("WALLET#{shop}"), &format!("ENTRY#{first:016}")).await
    }

    /// A wallet with so many rows more than its opening, all in copies of `run`.
    async fn with_rows(&self, run: &Item, runs: u64) -> WalletId {
        let wallet = self.open("alice", "0").await;
        let copy = |at: u64| {
            let mut item = run.clone();
            item.insert("PK".to_owned(), AttributeValue::S(format!("WALLET#{wallet}")));
            item.insert("SK".to_owned(), AttributeValue::S(format!("ENTRY#{:016}", 1 + at * RUN)));
            let put = PutRequest::builder().set_item(Some(item)).build().expect("the item is set");
            WriteRequest::builder().put_request(put).build()
        };
        let all: Vec<_> = (0..runs).map(copy).collect();
        for some in all.chunks(25) {
            let put = self.database.client().batch_write_item().request_items(self.database.table(), some.to_vec());
            let left = put.send().await.expect("the table answers").unprocessed_items.unwrap_or_default();
            assert!(left.is_empty());
        }
        wallet
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_costs_the_same_however_long_the_statement_is() {
    let bench = Bench::start().await;
    let item = bench.run_of_rows().await;
    let ledger = bench.another();
    let mut costs = vec![];
    for runs in [11, 1_100] {
        let (wallet, newest) = (bench.with_rows(&item, runs).await, runs * RUN);
        // On the newest row, and within a run.
        for newest in [newest, newest - 40] {
            let mut usage = Usage::default();
            let page = ledger.entries(wallet, Some(newest + 1), PAGE, &mut usage).await.expect("the table answers");
            let versions: Vec<_> = page.items.iter().map(|entry| entry.version).collect();
            assert_eq!(versions, (newest - 99..=newest).rev().collect::<Vec<_>>());
            assert_eq!((page.next, usage.calls), (Some(newest - 99), 1));
            costs.push(usage.read_half_units());
        }
    }
    assert_eq!(costs[..2], costs[2..], "of 1,078 rows and of 107,800");
    let mut one = Usage::default();
    ledger.entries(bench.with_rows(&item, 1).await, Some(RUN + 1), PAGE, &mut one).await.expect("the table answers");
    assert!(costs[0] <= 3 * one.read_half_units(), "three runs at most: {costs:?}, and {one:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_size_show_every_row_once() {
    let (bench, shop) = Bench::with_shop().await;
    for count in [1, 120, 3, 100] {
        bench.pay_in(shop, count, "1").await;
        bench.settle(shop).await;
    }
    let newest = bench.wallet(shop).await.version;
    let ledger = bench.another();
    for limit in [1, 7, 97, 98, 99, 100] {
        let (mut before, mut seen) = (Some(newest + 1), vec![]);
        while let Some(from) = before {
            let page = ledger.entries(shop, Some(from), limit, &mut Usage::default()).await.expect("the table answers");
            assert!(page.items.len() == limit as usize || page.next.is_none(), "a page is full unless it is the last");
            seen.extend(page.items.iter().map(|entry| entry.version));
            before = page.next;
        }
        assert_eq!(seen, (0..=newest).rev().collect::<Vec<_>>(), "pages of {limit}");
    }
}
