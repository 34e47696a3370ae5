//! Every key, attribute and index name of the table, once.

use wallet_domain::{HoldKey, Owner, Reference, TransactionId, WalletId};

pub(crate) const PK: &str = "PK";
pub(crate) const SK: &str = "SK";

/// Wallets by owner: keys only, oldest first. Balance updates don't touch it.
pub const OWNER_INDEX: &str = "owner-index";
/// Queued requests by the time of their acceptance and active holds by the time of their end, in shares: keys only. Sparse:
/// what waits no more is not in it.
pub const DUE_INDEX: &str = "due-index";
/// Failed transactions by wallet, by time. Sparse: posted transactions are not in it.
pub const ATTEMPTS_INDEX: &str = "attempts-index";
/// Transactions by caller and reference, by time: keys only. Sparse: those without a reference are not in it.
pub const REFERENCE_INDEX: &str = "reference-index";

// The sort keys of the kinds of items.
pub(crate) const WALLET: &str = "WALLET";
pub(crate) const TXN: &str = "TXN";
pub(crate) const ENTRY: &str = "ENTRY#";
pub(crate) const HOLD: &str = "HOLD#";

/// What the partition keys of inboxes begin with.
pub(crate) const INBOX: &str = "INBOX#";

// Shared by several kinds of items.
pub(crate) const AMOUNT: &str = "amount";
pub(crate) const CREATED_AT: &str = "created_at";
pub(crate) const CURRENCY: &str = "currency";
pub(crate) const FORMAT: &str = "format";
pub(crate) const METADATA: &str = "metadata";
pub(crate) const REFERENCE: &str = "reference";
pub(crate) const SEAL: &str = "seal";
pub(crate) const STATUS: &str = "status";
pub(crate) const TYPE: &str = "type";

// Of a wallet.
pub(crate) const OWNER: &str = "owner";
pub(crate) const BALANCE: &str = "balance";
/// Absent where nothing is held.
pub(crate) const HELD: &str = "held";
pub(crate) const VERSION: &str = "version";
pub(crate) const CREDITS: &str = "credits";
pub(crate) const CREDITS_CHANGED_AT: &str = "credits_changed_at";
pub(crate) const FLOOR: &str = "floor";
pub(crate) const CEILING: &str = "ceiling";
pub(crate) const MAX_MOVEMENT: &str = "max_movement";
pub(crate) const MAX_DAILY_OUTFLOW: &str = "max_daily_outflow";
pub(crate) const TRANSFERS_PER_MINUTE: &str = "transfers_per_minute";
pub(crate) const OUTFLOW_DAY: &str = "outflow_day";
pub(crate) const OUTFLOW: &str = "outflow";
pub(crate) const TRANSFER_MINUTE: &str = "transfer_minute";
pub(crate) const TRANSFERS: &str = "transfers";
/// By `<month>#<rule>`.
pub(crate) const REBATED: &str = "rebated";
pub(crate) const HEAD: &str = "head_hash";
pub(crate) const UPDATED_AT: &str = "updated_at";
pub(crate) const LEASE_HOLDER: &str = "lease_holder";
/// Milliseconds since 1970-01-01T00:00Z.
pub(crate) const LEASE_UNTIL: &str = "lease_until";

// Of an entry and of a transaction.
pub(crate) const CALLER: &str = "caller";
pub(crate) const COUNTERPARTY: &str = "counterparty";

// Of an entry.
pub(crate) const TRANSACTION_ID: &str = "transaction_id";
pub(crate) const ROWS: &str = "rows";
pub(crate) const STATE: &str = "state";
pub(crate) const BALANCE_AFTER: &str = "balance_after";
/// Absent where nothing is held.
pub(crate) const HELD_AFTER: &str = "held_after";
pub(crate) const CHANGES: &str = "changes";
pub(crate) const PREVIOUS_HASH: &str = "previous_hash";
pub(crate) const HASH: &str = "hash";

// Of a transaction. `stream.rs` reads some of these too.
pub(crate) const ID: &str = "id";
/// Of a transaction: the wallet that it is about, or that refused it.
pub(crate) const WALLET_ID: &str = "wallet_id";
/// The wallet that was asked about, where another refused.
pub(crate) const ASKED_WALLET_ID: &str = "asked_wallet_id";
pub(crate) const DESTINATION: &str = "destination";
pub(crate) const FEE: &str = "fee";
pub(crate) const LEGS: &str = "legs";
pub(crate) const PARENT_ID: &str = "parent_id";
pub(crate) const RULE_ID: &str = "rule_id";
pub(crate) const RULE: &str = "rule";
pub(crate) const BASIS_POINTS: &str = "basis_points";
pub(crate) const MINIMUM: &str = "minimum";
pub(crate) const MAXIMUM: &str = "maximum";
pub(crate) const CAP: &str = "cap";
pub(crate) const MONTHLY_CAP: &str = "monthly_cap";
pub(crate) const ROUNDING: &str = "rounding";
pub(crate) const FINGERPRINT: &str = "fingerprint";
pub(crate) const RESULT: &str = "result";
pub(crate) const REFUSAL: &str = "refusal";
/// Present on failed transactions only: the hash key of [`ATTEMPTS_INDEX`].
pub(crate) const ATTEMPT_WALLET: &str = "attempt_wallet";
pub(crate) const ADMIN: &str = "admin";
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency_key";
pub(crate) const LOCKING_STRATEGY: &str = "locking_strategy";
/// The hash key of [`DUE_INDEX`].
pub(crate) const DUE: &str = "due";
/// The range key of [`DUE_INDEX`].
pub(crate) const DUE_AT: &str = "due_at";
/// Present where there is a reference: the hash key of [`REFERENCE_INDEX`].
pub(crate) const CALLER_REFERENCE: &str = "caller_reference";
pub(crate) const ACCOUNT: &str = "account";
pub(crate) const VERSION_AFTER: &str = "version_after";
pub(crate) const CODE: &str = "code";
pub(crate) const AVAILABLE: &str = "available";
pub(crate) const REQUESTED: &str = "requested";
pub(crate) const LIMIT: &str = "limit";
pub(crate) const PAYMENT: &str = "payment";
pub(crate) const PAYMENTS: &str = "payments";
pub(crate) const HOLDS: &str = "holds";

// Of a hold, and of the transaction that makes one or releases some.
pub(crate) const CAPTURED: &str = "captured";
pub(crate) const CAPTURES: &str = "captures";
pub(crate) const EXPIRES_AT: &str = "expires_at";
pub(crate) const HOLD_TERMS: &str = "hold_terms";
pub(crate) const RELEASED: &str = "released";
pub(crate) const HOLD_ID: &str = "hold_id";

/// Digits of a version in an entry's sort key: string order is number order up to 10^16 versions.
const VERSION_DIGITS: usize = 16;
pub(crate) const LAST_VERSION: u64 = 9_999_999_999_999_999;

pub(crate) fn wallet_pk(id: WalletId) -> String {
    format!("WALLET#{id}")
}

pub(crate) fn inbox_pk(id: WalletId) -> String {
    format!("{INBOX}{id}")
}

pub(crate) fn transaction_pk(id: TransactionId) -> String {
    format!("TXN#{id}")
}

/// Caller and reference in one text, each at most 128 bytes. The length keeps `a` with `b c` and `a b` with `c` apart.
pub(crate) fn caller_reference(caller: &Owner, reference: &Reference) -> String {
    format!("{} {caller} {reference}", caller.as_str().len())
}

/// String order is the order in which holds were made, up to the year 2286.
pub(crate) fn hold_sk(key: &HoldKey) -> String {
    format!("{HOLD}{:013}#{}", key.created_at.as_millisecond(), key.id)
}

pub(crate) fn entry_sk(version: u64) -> String {
    format!("{ENTRY}{version:0VERSION_DIGITS$}")
}
