//! A wallet, for its owner and for admins.

use std::collections::BTreeMap;

use serde::Serialize;
use wallet_domain::{Amount, Incoming, Limits, Money, Wallet};

use super::time::time;
#[cfg(feature = "openapi")]
use crate::schema;

/// A wallet as its owner sees it. A bound or limit that is not set is `null`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Wallet))]
pub struct WalletView<'a> {
    #[cfg_attr(feature = "openapi", schema(value_type = schema::WalletId))]
    id: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Owner))]
    owner: &'a str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Currency))]
    currency: &'static str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    balance: String,
    /// What holds keep back of it.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    held: String,
    /// What can be spent: the balance less what is held and the floor.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    available: String,
    /// Where it was looked up: what waits, or nothing where nothing can.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<IncomingView>))]
    incoming: Option<Option<IncomingView>>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Credits))]
    credits: &'static str,
    version: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Status))]
    status: &'static str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    floor: String,
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::Money>))]
    ceiling: Option<String>,
    limits: LimitsView,
    metadata: &'a BTreeMap<String, String>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    created_at: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    updated_at: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Limits))]
struct LimitsView {
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::Money>))]
    max_movement: Option<String>,
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::Money>))]
    max_daily_outflow: Option<String>,
    #[cfg_attr(feature = "openapi", schema(required, format = "int64", maximum = 4_294_967_295_i64))]
    transfers_per_minute: Option<u32>,
}

impl<'a> From<&'a Wallet> for WalletView<'a> {
    fn from(wallet: &'a Wallet) -> WalletView<'a> {
        WalletView {
            id: wallet.id.to_string(),
            owner: wallet.owner.as_str(),
            currency: wallet.currency().code(),
            balance: wallet.balance.to_string(),
            held: wallet.held.to_string(),
            available: wallet.available().to_string(),
            incoming: None,
            credits: wallet.credits.as_str(),
            version: wallet.version,
            status: wallet.status.as_str(),
            floor: wallet.floor.to_string(),
            ceiling: wallet.ceiling.as_ref().map(Money::to_string),
            limits: LimitsView::from(wallet.limits),
            metadata: wallet.metadata.labels(),
            created_at: time(wallet.created_at),
            updated_at: time(wallet.updated_at),
        }
    }
}

/// Credits that wait to be settled: of 1,000 at most, and whether it is exactly these.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Incoming))]
struct IncomingView {
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    amount: String,
    count: usize,
    complete: bool,
}

impl WalletView<'_> {
    /// The same with what waits in its inbox, and whether that is all; `None` where nothing can.
    #[must_use]
    pub fn with_incoming(mut self, incoming: Option<(Incoming, bool)>) -> Self {
        self.incoming = Some(incoming.map(|(Incoming { amount, count, .. }, complete)| IncomingView {
            amount: amount.to_string(),
            count,
            complete,
        }));
        self
    }
}

/// What an administrator who may not read is told of a wallet that he has amended.
#[allow(unreachable_pub, reason = "the API's description takes it")]
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Amended))]
pub struct AmendedView {
    #[cfg_attr(feature = "openapi", schema(value_type = schema::WalletId))]
    id: String,
    version: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Status))]
    status: &'static str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    updated_at: String,
}

impl From<&Wallet> for AmendedView {
    fn from(wallet: &Wallet) -> AmendedView {
        AmendedView {
            id: wallet.id.to_string(),
            version: wallet.version,
            status: wallet.status.as_str(),
            updated_at: time(wallet.updated_at),
        }
    }
}

impl From<Limits> for LimitsView {
    fn from(limits: Limits) -> LimitsView {
        let text = |limit: Option<Amount>| limit.map(|amount| amount.money().to_string());
        LimitsView {
            max_movement: text(limits.max_movement),
            max_daily_outflow: text(limits.max_daily_outflow),
            transfers_per_minute: limits.transfers_per_minute,
        }
    }
}
