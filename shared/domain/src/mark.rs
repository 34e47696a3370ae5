//! Marks: what can happen to a transaction once. A mark is put beside the transaction only if it is not there yet, in the
//! transaction that does the thing, so that of two that try at once one fails.

use crate::id::TransactionId;
use crate::text::Word;

/// What happened, as the table spells it: `REVERSAL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarkName(Word);

impl MarkName {
    pub(crate) const fn new(name: &'static str) -> MarkName {
        MarkName(Word::new(name))
    }

    /// As the table spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The mark spelled `text`, known here or not: 1 to 16 upper-case ASCII letters or underscores.
    #[must_use]
    pub fn from_name(text: &str) -> Option<MarkName> {
        let allowed = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        Word::from_text(text).filter(|_| allowed).map(MarkName)
    }
}

/// One thing that happened to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The transaction that it happened to.
    pub of: TransactionId,
    /// What happened.
    pub name: MarkName,
    /// The transaction that did it.
    pub by: TransactionId,
}
