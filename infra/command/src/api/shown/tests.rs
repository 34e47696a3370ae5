//! One answer as a table, with colours and as tabs.

use super::*;

#[test]
fn people_get_tables_and_programs_get_tabs() {
    let entry = json!({"version": 3, "created_at": "t", "type": "transfer", "amount": "-5.10", "balance_after": "7.52",
        "counterparty": null, "reference": "\u{1b}[2Jorder", "transaction_id": "txn_1"});
    let shown = Shown::Many(&ENTRIES, vec![entry]);
    assert_eq!(shown.text(Style::Tabs), "3\tt\ttransfer\t-5.10\t7.52\t\t\u{fffd}[2Jorder\ttxn_1");
    let table = shown.text(Style::Table);
    assert!(table.contains("amount") && !table.contains('\u{1b}'), "{table}");
    let coloured = shown.text(Style::Colours);
    assert!(coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}[2J"), "{coloured}");
    let failed = json!({"id": "txn_1", "status": "failed", "legs": [], "reason": {"code": "wallet_frozen", "detail": "Frozen."}});
    assert_eq!(Shown::One(failed).text(Style::Tabs), "id\ttxn_1\nstatus\tfailed\nFrozen.");
}
