//! SHA-256 over unambiguous encodings: ids, request fingerprints and the chain of entries all come from here.
//!
//! Every field goes in behind its length, so no two different lists of fields share an encoding.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// What the first entry of every wallet follows: 64 zeros.
pub const GENESIS: Digest = Digest::from_bytes([0; 32]);

/// A SHA-256 digest, printed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 16 bytes: what ids are made of.
    #[must_use]
    pub fn first_half(self) -> [u8; 16] {
        let (half, _) = self.0.split_first_chunk::<16>().expect("32 bytes hold 16");
        *half
    }
}

impl FromStr for Digest {
    type Err = hex::FromHexError;

    /// # Errors
    /// Anything but 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Digest, hex::FromHexError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Digest(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Collects fields into a [`Digest`].
pub struct Hasher {
    digest: Sha256,
    /// Where values are written out before they go in. Kept from one to the next: an audit hashes millions.
    text: String,
}

impl Hasher {
    /// Starts with the name of what is hashed, so that digests for different purposes never coincide.
    #[must_use]
    pub fn new(purpose: &str) -> Hasher {
        Hasher { digest: Sha256::new(), text: String::new() }.field(purpose)
    }

    /// Appends one field.
    #[must_use]
    pub fn field(mut self, value: &str) -> Hasher {
        self.digest.update((value.len() as u64).to_be_bytes());
        self.digest.update(value.as_bytes());
        self
    }

    /// Appends one field as it is written out.
    #[must_use]
    pub fn shown(mut self, value: impl fmt::Display) -> Hasher {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        write!(text, "{value}").expect("a text takes whatever is written to it");
        let mut hasher = self.field(&text);
        hasher.text = text;
        hasher
    }

    /// Appends a field that may be absent; an absent one differs from an empty one.
    #[must_use]
    pub fn maybe(self, value: Option<impl fmt::Display>) -> Hasher {
        match value {
            Some(value) => self.field("some").shown(value),
            None => self.field("none"),
        }
    }

    /// Appends texts by name, and how many there are.
    #[must_use]
    pub fn texts(self, texts: &BTreeMap<String, String>) -> Hasher {
        let hasher = self.field(&texts.len().to_string());
        texts.iter().fold(hasher, |hasher, (name, text)| hasher.field(name).field(text))
    }

    /// The digest of all fields.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.digest.finalize().into())
    }
}
