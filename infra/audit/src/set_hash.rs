//! A hash of a set, of a fixed size whatever the set's: equal sets have equal hashes, in whatever order they are read, and
//! nobody can find two that differ and hash alike.
//!
//! LtHash: each element is hashed to 1,024 numbers of 16 bits, and the sums of all, number by number, are the set's hash. From
//! M. Bellare and D. Micciancio, "A New Paradigm for Collision-Free Hashing: Incrementality at Reduced Cost", EUROCRYPT 1997;
//! with these parameters, for at least 200 bits of security, from K. Lewi, W. Kim, I. Maykov and S. Weis, "Securing Update
//! Propagation with Homomorphic Hashing", IACR ePrint 2019/227. An element's numbers are the extendable output of BLAKE3.

use std::fmt;

const NUMBERS: usize = 1024;
/// As bytes.
const SIZE: usize = 2 * NUMBERS;

/// The hash of a set: 2,048 bytes, printed as hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SetHash(Box<[u16; NUMBERS]>);

impl SetHash {
    /// Of the empty set.
    pub(crate) fn new() -> SetHash {
        SetHash(Box::new([0; NUMBERS]))
    }

    /// Adds an element that is not in the set, by a digest of it, under the name of what kind of thing it is.
    pub(crate) fn add(&mut self, kind: &str, digest: &[u8; 32]) {
        let mut bytes = [0; SIZE];
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind.as_bytes()).update(digest).finalize_xof().fill(&mut bytes);
        for (sum, number) in self.0.iter_mut().zip(bytes.chunks_exact(2)) {
            *sum = sum.wrapping_add(u16::from_le_bytes([number[0], number[1]]));
        }
    }

    /// Takes in another set, of which no element is in this one.
    pub(crate) fn merge(&mut self, other: &SetHash) {
        for (sum, other) in self.0.iter_mut().zip(other.0.iter()) {
            *sum = sum.wrapping_add(*other);
        }
    }

    pub(crate) fn parse(text: &str) -> Option<SetHash> {
        let mut bytes = [0; SIZE];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let mut hash = SetHash::new();
        for (number, bytes) in hash.0.iter_mut().zip(bytes.chunks_exact(2)) {
            *number = u16::from_le_bytes([bytes[0], bytes[1]]);
        }
        Some(hash)
    }
}

impl fmt::Display for SetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|number| f.write_str(&hex::encode(number.to_le_bytes())))
    }
}

impl fmt::Debug for SetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(elements: &[(&str, u8)]) -> SetHash {
        let mut hash = SetHash::new();
        elements.iter().for_each(|(kind, byte)| hash.add(kind, &[*byte; 32]));
        hash
    }

    #[test]
    fn a_set_has_one_hash_in_any_order_and_in_any_parts() {
        let whole = of(&[("a", 1), ("a", 2), ("b", 1)]);
        assert_eq!(whole, of(&[("b", 1), ("a", 2), ("a", 1)]));
        let mut parts = of(&[("a", 2)]);
        parts.merge(&of(&[("b", 1), ("a", 1)]));
        assert_eq!(whole, parts);
    }

    #[test]
    fn another_set_has_another_hash() {
        let sets: [&[_]; 6] =
            [&[], &[("a", 1)], &[("a", 2)], &[("b", 1)], &[("a", 1), ("a", 2)], &[("a", 1), ("a", 1)]];
        for (at, one) in sets.iter().enumerate() {
            assert!(sets[at + 1..].iter().all(|other| of(one) != of(other)), "{one:?}");
        }
    }

    #[test]
    fn it_survives_being_written() {
        let hash = of(&[("a", 1), ("b", 2)]);
        let text = hash.to_string();
        assert_eq!((text.len(), SetHash::parse(&text)), (2 * SIZE, Some(hash)));
        assert_eq!(SetHash::parse(&text[2..]), None);
    }
}
