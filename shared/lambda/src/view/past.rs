//! A wallet as it was at some time, for its owner and for admins.

use serde::Serialize;
use wallet_domain::{Timestamp, Wallet};
use wallet_dynamodb::Past;

use super::time::time;
#[cfg(feature = "openapi")]
use crate::schema;

/// What a wallet's statement says of one moment. Terms and status are those of now, and not shown.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PastWallet))]
pub struct PastView {
    #[cfg_attr(feature = "openapi", schema(value_type = schema::WalletId))]
    id: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Currency))]
    currency: &'static str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    at: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    balance: String,
    /// What holds kept back of it.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    held: String,
    version: u64,
    /// When the wallet came to that version.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    updated_at: String,
}

impl PastView {
    /// `wallet` as it was at `at`.
    #[must_use]
    pub fn new(wallet: &Wallet, at: Timestamp, past: Past) -> PastView {
        PastView {
            id: wallet.id.to_string(),
            currency: wallet.currency().code(),
            at: time(at),
            balance: past.balance.to_string(),
            held: past.held.to_string(),
            version: past.version,
            updated_at: time(past.since),
        }
    }
}
