//! Short texts from outside, each valid by construction: owners, idempotency keys, references, metadata.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A short name that the table spells out and code compares: 1 to 16 bytes of ASCII, the rest zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Word([u8; 16]);

impl Word {
    /// A name that the code knows. Fails to compile beyond 16 bytes.
    pub(crate) const fn new(text: &'static str) -> Word {
        let (mut bytes, text, mut at) = ([0; 16], text.as_bytes(), 0);
        while at < text.len() {
            bytes[at] = text[at];
            at += 1;
        }
        Word(bytes)
    }

    pub(crate) fn from_text(text: &str) -> Option<Word> {
        let mut bytes = [0; 16];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(Word(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).expect("a word is ASCII")
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Too short, too long, or with characters that cannot be printed.
    #[error("must be 1 to {max} printable {alphabet} characters")]
    Shape {
        /// The bound, in bytes.
        max: usize,
        /// Which characters count.
        alphabet: &'static str,
    },
    /// A quoted key that does not end, or holds a quote or backslash.
    #[error("has a quote or backslash inside; send the key bare or in one pair of double quotes")]
    Quotes,
    /// Too many bytes of metadata.
    #[error("keys and values together must not exceed {MAX_METADATA_BYTES} bytes; this has {0}")]
    MetadataSize(usize),
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            /// # Errors
            /// [`TextError::Shape`] when empty, too long, or holding control characters.
            fn from_str(text: &str) -> Result<Self, TextError> {
                if text.is_empty() || text.len() > $max || text.chars().any(char::is_control) {
                    return Err(TextError::Shape { max: $max, alphabet: "UTF-8" });
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

text!(
    /// Whose a wallet is, and who calls: the `sub` of a token (RFC 7519), at most 128 bytes.
    Owner,
    128
);
text!(
    /// The caller's own name for a movement, such as an order number: at most 128 bytes.
    Reference,
    128
);

/// The `Idempotency-Key` of a request: 1 to 255 printable ASCII characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of a request that is only tried. No caller can send it, so nothing is ever on record under it.
    #[must_use]
    pub fn none() -> IdempotencyKey {
        IdempotencyKey(String::new())
    }

    /// The key without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = TextError;

    /// Bare, or in double quotes as a structured field string (RFC 9651); both name the same key.
    ///
    /// # Errors
    /// [`TextError`] when empty, too long, not printable ASCII, or with stray quotes.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let shape = TextError::Shape { max: 255, alphabet: "ASCII" };
        let bare = match text.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"').ok_or(TextError::Quotes)?,
            None => text,
        };
        if bare.contains(['"', '\\']) {
            return Err(TextError::Quotes);
        }
        if bare.is_empty() || bare.len() > 255 || !bare.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(shape);
        }
        Ok(IdempotencyKey(bare.to_owned()))
    }
}

impl fmt::Debug for IdempotencyKey {
    /// Never shows the key: whoever holds it can replay a request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

/// The largest metadata, in bytes of keys and values together.
///
/// A transaction item is about 500 bytes without it; half a kilobyte more keeps it near the 1 KB that one write unit pays.
pub const MAX_METADATA_BYTES: usize = 512;

/// The caller's own labels: text to text, at most [`MAX_METADATA_BYTES`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// # Errors
    /// [`TextError::MetadataSize`] beyond [`MAX_METADATA_BYTES`].
    pub fn new(labels: BTreeMap<String, String>) -> Result<Metadata, TextError> {
        let bytes = labels.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > MAX_METADATA_BYTES { Err(TextError::MetadataSize(bytes)) } else { Ok(Metadata(labels)) }
    }

    /// The labels, sorted by key.
    #[must_use]
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_bare_or_quoted_and_is_the_same_key() {
        let bare: IdempotencyKey = "order 1".parse().expect("printable");
        assert_eq!("\"order 1\"".parse(), Ok(bare));
        assert!("x".repeat(255).parse::<IdempotencyKey>().is_ok());
        for bad in ["", "\"\"", "\"", "a\"b", "\"open", "tab\there", "ümlaut", &"x".repeat(256)] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn metadata_is_bounded_to_the_byte() {
        let of = |bytes: usize| Metadata::new(BTreeMap::from([("k".to_owned(), "v".repeat(bytes - 1))]));
        assert!(of(MAX_METADATA_BYTES).is_ok());
        assert_eq!(of(MAX_METADATA_BYTES + 1), Err(TextError::MetadataSize(513)));
    }
}
