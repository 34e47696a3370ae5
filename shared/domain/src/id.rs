//! Ids as types. Each is derived from what it stands for, so asking twice names the same thing.

use std::fmt;
use std::str::FromStr;

use crate::hash::Hasher;
use crate::rebate::RuleId;
use crate::text::{IdempotencyKey, Owner};

/// The text is no id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be \"{prefix}\" and 32 lower-case hexadecimal digits")]
pub struct IdError {
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl FromStr for $name {
            type Err = IdError;

            /// # Errors
            /// [`IdError`] for anything but the prefix and 32 lower-case hexadecimal digits.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = IdError { prefix: $prefix };
                let digits = text.strip_prefix($prefix).ok_or(error)?;
                if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return Err(error);
                }
                let mut bytes = [0; 16];
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| error)?;
                Ok(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0; 32];
                hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
                f.write_str($prefix)?;
                f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// A wallet: `wal_` and 32 hexadecimal digits.
    WalletId,
    "wal_"
);
id!(
    /// A transaction: `txn_` and 32 hexadecimal digits. 128 bits of SHA-256: no two keys meet by accident.
    TransactionId,
    "txn_"
);

impl WalletId {
    /// The wallet that `caller` opens with `key`: the same request twice names the same wallet.
    #[must_use]
    pub fn opened_by(caller: &Owner, key: &IdempotencyKey) -> WalletId {
        WalletId(Hasher::new("wallet").field(caller.as_str()).field(key.as_str()).finish().first_half())
    }
}

impl TransactionId {
    /// What `caller` asks for with `key`: for ever the same transaction.
    #[must_use]
    pub fn requested_by(caller: &Owner, key: &IdempotencyKey) -> TransactionId {
        TransactionId(Hasher::new("transaction").field(caller.as_str()).field(key.as_str()).finish().first_half())
    }

    /// The amendment that takes `wallet` on from `version`: one version can be amended once.
    #[must_use]
    pub fn amendment_of(wallet: WalletId, version: u64) -> TransactionId {
        let hasher = Hasher::new("amendment").field(&wallet.to_string()).field(&version.to_string());
        TransactionId(hasher.finish().first_half())
    }

    /// The release of expired holds that takes `wallet` on from `version`: of one version there is one.
    #[must_use]
    pub fn expiry_of(wallet: WalletId, version: u64) -> TransactionId {
        let hasher = Hasher::new("expiry").field(&wallet.to_string()).field(&version.to_string());
        TransactionId(hasher.finish().first_half())
    }

    /// The rebate that `rule` pays for `deposit`: delivered twice, the same transaction.
    #[must_use]
    pub fn rebate_of(deposit: TransactionId, rule: &RuleId) -> TransactionId {
        let hasher = Hasher::new("rebate").field(&deposit.to_string()).field(rule.as_str());
        TransactionId(hasher.finish().first_half())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_a_round_trip_and_refuse_everything_else() {
        let key: IdempotencyKey = "k".parse().expect("a key");
        let alice: Owner = "alice".parse().expect("an owner");
        let id = TransactionId::requested_by(&alice, &key);
        assert_eq!(id.to_string().parse(), Ok(id));
        let text = id.to_string();
        for bad in ["", "txn_", &text[..35], &format!("{text}0"), &text.to_uppercase(), &text.replace("txn_", "wal_")] {
            assert!(bad.parse::<TransactionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_depend_on_caller_and_key_and_never_on_how_the_two_are_split() {
        let id = |caller: &str, key: &str| {
            TransactionId::requested_by(&caller.parse().expect("an owner"), &key.parse().expect("a key"))
        };
        assert_eq!(id("a", "bc"), id("a", "bc"));
        assert_ne!(id("a", "bc"), id("ab", "c"));
    }
}
