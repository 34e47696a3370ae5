//! A request as the network carries it.

use serde_json::Value;

use super::table::Action;

/// One request on its way to DynamoDB.
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn is_write(&self) -> bool {
        self.operation == "TransactWriteItems"
    }

    /// A transaction that records something; taking or giving back leases only updates wallets.
    pub(crate) fn is_commit(&self) -> bool {
        self.is_write() && self.body["TransactItems"][0].get("Put").is_some()
    }

    /// A commit that records something of this kind.
    pub(crate) fn is_commit_of(&self, kind: &str) -> bool {
        self.is_commit() && self.body.to_string().contains(&format!("\"{kind}\""))
    }

    pub(crate) fn is_lease(&self) -> bool {
        self.is_write() && !self.is_commit() && !self.is_fold()
    }

    /// A transaction that settles what waits in an inbox: nothing else deletes.
    pub(crate) fn is_fold(&self) -> bool {
        self.is_write() && self.actions().iter().any(|action| action.kind == "Delete")
    }

    /// A transaction of several requests that move one wallet.
    pub(super) fn is_of_several(&self) -> bool {
        let rows = |action: &Value| action["Put"]["Item"]["rows"]["L"].as_array().map_or(0, Vec::len);
        let mut actions = self.body["TransactItems"].as_array().into_iter().flatten();
        self.is_commit() && actions.any(|action| rows(action) > 1)
    }

    /// What DynamoDB bills for a transaction: two units for each kilobyte, or part of one, of each item, of which only those
    /// that are put can be large.
    pub(crate) fn write_units(&self) -> u64 {
        let actions = self.body["TransactItems"].as_array().into_iter().flatten();
        actions.map(|action| 2 * (action["Put"]["Item"].to_string().len() as u64 / 2).div_ceil(1024).max(1)).sum()
    }

    pub(super) fn actions(&self) -> Vec<Action<'_>> {
        self.body["TransactItems"].as_array().into_iter().flatten().map(Action::of).collect()
    }
}
