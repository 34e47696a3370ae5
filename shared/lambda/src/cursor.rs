//! Cursors: each says where a page ended, to nobody but the list that gave it.
//!
//! A cursor is the position and a digest over list and position. The digest has no secret: it tells a cursor of another
//! list, or a damaged one, from a good one. What a caller may see is decided from the claims, never from a cursor.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use wallet_domain::{Hasher, Owner, Reference, Timestamp, TransactionId, WalletId};
use wallet_dynamodb::Place;

use crate::problem::{Code, Problem};

const DIGEST_BYTES: usize = 16;

/// A list that is read page by page: what it holds, and whose it is.
#[derive(Debug)]
pub struct List {
    name: &'static str,
    of: String,
}

impl List {
    /// The wallets of `owner`.
    #[must_use]
    pub fn wallets(owner: &Owner) -> List {
        List { name: "wallets", of: owner.to_string() }
    }

    /// The statement of `wallet`.
    #[must_use]
    pub fn entries(wallet: WalletId) -> List {
        List { name: "entries", of: wallet.to_string() }
    }

    /// The refused attempts on `wallet`.
    #[must_use]
    pub fn attempts(wallet: WalletId) -> List {
        List { name: "attempts", of: wallet.to_string() }
    }

    /// The holds of `wallet`.
    #[must_use]
    pub fn holds(wallet: WalletId) -> List {
        List { name: "holds", of: wallet.to_string() }
    }

    /// What `caller` asked for under `reference`.
    #[must_use]
    pub fn transactions(caller: &Owner, reference: &Reference) -> List {
        // Neither has control characters.
        List { name: "transactions", of: format!("{caller}\n{reference}") }
    }

    /// The field that holds the items.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The cursor of what follows `position`.
    pub(crate) fn cursor(&self, position: &impl Position) -> String {
        let position = position.write();
        let mut bytes = self.digest(&position).to_vec();
        bytes.extend(position.into_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position in a cursor that came from this list.
    pub(crate) fn position<P: Position>(&self, cursor: &str) -> Result<P, Problem> {
        self.read(cursor).ok_or_else(|| {
            let detail = "`cursor` is not one that this list gave. Send `next_cursor` as it came, or start without.";
            Problem::new(Code::InvalidCursor, detail)
        })
    }

    fn read<P: Position>(&self, cursor: &str) -> Option<P> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (digest, position) = bytes.split_first_chunk::<DIGEST_BYTES>()?;
        let position = std::str::from_utf8(position).ok()?;
        if *digest == self.digest(position) { P::read(position) } else { None }
    }

    fn digest(&self, position: &str) -> [u8; DIGEST_BYTES] {
        Hasher::new("cursor").field(self.name).field(&self.of).field(position).finish().first_half()
    }
}

/// Where a page of a list ends.
pub trait Position: Sized {
    /// The position as text.
    fn write(&self) -> String;
    /// The position that [`Position::write`] has written as `text`, if it is one.
    fn read(text: &str) -> Option<Self>;
}

/// The version of the last entry.
impl Position for u64 {
    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<u64> {
        text.parse().ok()
    }
}

impl Position for Place {
    fn write(&self) -> String {
        format!("{} {}", self.created_at.as_millisecond(), self.id)
    }

    fn read(text: &str) -> Option<Place> {
        let (milliseconds, id) = text.split_once(' ')?;
        let created_at = Timestamp::from_millisecond(milliseconds.parse().ok()?).ok()?;
        // Anybody can make a cursor: what is no id of ours may be longer than a key of the table.
        let is_id = id.parse::<WalletId>().is_ok() || id.parse::<TransactionId>().is_ok();
        is_id.then(|| Place { created_at, id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet(last: char) -> WalletId {
        format!("wal_{}{last}", "0".repeat(31)).parse().expect("an id")
    }

    #[test]
    fn a_cursor_leads_back_to_its_position() {
        let list = List::entries(wallet('1'));
        assert_eq!(list.position::<u64>(&list.cursor(&42_u64)).expect("its own"), 42);

        let list = List::attempts(wallet('1'));
        let created_at = Timestamp::from_millisecond(1_795_230_420_123).expect("in range");
        for id in [wallet('2').to_string(), format!("txn_{}", "0".repeat(32))] {
            let place = Place { created_at, id };
            assert_eq!(list.position::<Place>(&list.cursor(&place)).expect("its own"), place);
        }
    }

    #[test]
    fn a_cursor_that_somebody_made_up_names_no_key_that_the_table_cannot_have() {
        let list = List::attempts(wallet('1'));
        for id in ["", "txn_1", &"x".repeat(2_049), &format!("txn_{}", "0".repeat(2_049))] {
            let cursor = list.cursor(&Place { created_at: Timestamp::UNIX_EPOCH, id: id.to_owned() });
            assert_eq!(list.position::<Place>(&cursor).expect_err(id).code(), Code::InvalidCursor);
        }
    }

    #[test]
    fn a_cursor_works_for_its_own_list_only() {
        let own = List::entries(wallet('1'));
        let cursor = own.cursor(&42_u64);
        let alice: Owner = "alice".parse().expect("an owner");
        let order = "order 1".parse().expect("a reference");
        let (wallets, transactions) = (List::wallets(&alice), List::transactions(&alice, &order));
        for other in [List::entries(wallet('2')), List::attempts(wallet('1')), wallets, transactions] {
            assert_eq!(other.position::<u64>(&cursor).expect_err("another list's").code(), Code::InvalidCursor);
        }
        let changed = |at: usize| {
            let other = if cursor[at..].starts_with('A') { "B" } else { "A" };
            [&cursor[..at], other, &cursor[at + 1..]].concat()
        };
        let damaged: Vec<String> = (0..cursor.len()).map(changed).collect();
        let others = ["", "a", "====", "\u{fc}", &cursor[1..], &cursor[..cursor.len() - 1], &format!("{cursor}=")];
        for bad in damaged.iter().map(String::as_str).chain(others) {
            own.position::<u64>(bad).expect_err(bad);
        }
    }
}
