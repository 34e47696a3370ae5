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

    pub(crate) fn is_lease(&self) -> bool {
        self.is_write() && !self.is_commit() && !self.is_fold()
    }

    /// A transaction that settles what waits in an inbox: nothing else deletes.
    pub(crate) fn is_fold(&self) -> bool {
        self.is_write() && self.actions().iter().any(|action| action.kind == "Delete")
    }

    pub(super) fn actions(&self) -> Vec<Action<'_>> {
        self.body["TransactItems"].as_array().into_iter().flatten().map(Action::of).collect()
    }
}
