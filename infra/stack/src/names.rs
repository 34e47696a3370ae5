//! What the local stack calls what has a name of its own in the cloud.

/// The region that the local stack pretends to be in.
pub const REGION: &str = "us-east-1";
/// The account that the local stack pretends to be.
pub const ACCOUNT: &str = "000000000000";
/// The table's name. Not shorter than 11 characters: the stream's shard id would be too short for some SDKs.
pub const TABLE: &str = "wallet-ledger";
