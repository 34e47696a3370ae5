//! An item of the table, made and read field by field. What cannot be read is a [`Fault`] that names item and attribute.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use rust_decimal::Decimal;
use wallet_domain::{Currency, Digest, Metadata, Money, Timestamp};

use crate::fault::Fault;
use crate::names::{METADATA, PK, SK};

/// An item of the table, as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// An item under construction.
#[derive(Default)]
pub(crate) struct Builder(Item);

impl Builder {
    /// With the two keys of the table.
    pub(crate) fn at(pk: impl Display, sk: impl Display) -> Builder {
        Builder::default().text(PK, pk).text(SK, sk)
    }

    pub(crate) fn text(self, name: &str, value: impl Display) -> Builder {
        self.value(name, AttributeValue::S(value.to_string()))
    }

    pub(crate) fn number(self, name: &str, value: impl Display) -> Builder {
        self.value(name, AttributeValue::N(value.to_string()))
    }

    pub(crate) fn maybe_text(self, name: &str, value: Option<impl Display>) -> Builder {
        self.maybe(name, value.map(|value| AttributeValue::S(value.to_string())))
    }

    pub(crate) fn maybe_number(self, name: &str, value: Option<impl Display>) -> Builder {
        self.maybe(name, value.map(|value| AttributeValue::N(value.to_string())))
    }

    /// 32 bytes.
    pub(crate) fn digest(self, name: &str, value: Digest) -> Builder {
        self.value(name, AttributeValue::B(Blob::new(*value.as_bytes())))
    }

    pub(crate) fn time(self, name: &str, value: Timestamp) -> Builder {
        self.text(name, format_args!("{value:.3}"))
    }

    pub(crate) fn maybe_time(self, name: &str, value: Option<Timestamp>) -> Builder {
        self.maybe_text(name, value.map(|value| format!("{value:.3}")))
    }

    pub(crate) fn maybe_map(self, name: &str, value: Option<Item>) -> Builder {
        self.maybe(name, value.map(AttributeValue::M))
    }

    /// A map of texts; an empty one takes no room.
    pub(crate) fn texts<'a>(self, name: &str, texts: impl IntoIterator<Item = (&'a String, &'a String)>) -> Builder {
        let map: Item = texts.into_iter().map(|(key, value)| (key.clone(), AttributeValue::S(value.clone()))).collect();
        self.maybe_map(name, Some(map).filter(|map| !map.is_empty()))
    }

    /// A map of numbers; an empty one takes no room.
    pub(crate) fn numbers<V: Display>(self, name: &str, numbers: impl IntoIterator<Item = (String, V)>) -> Builder {
        let number = |(key, value): (String, V)| (key, AttributeValue::N(value.to_string()));
        let map: Item = numbers.into_iter().map(number).collect();
        self.maybe_map(name, Some(map).filter(|map| !map.is_empty()))
    }

    /// A list of maps.
    pub(crate) fn maps(self, name: &str, maps: impl Iterator<Item = Item>) -> Builder {
        self.value(name, AttributeValue::L(maps.map(AttributeValue::M).collect()))
    }

    /// The same; an empty one takes no room.
    pub(crate) fn maybe_maps(self, name: &str, maps: impl ExactSizeIterator<Item = Item>) -> Builder {
        if maps.len() == 0 { self } else { self.maps(name, maps) }
    }

    pub(crate) fn value(self, name: &str, value: AttributeValue) -> Builder {
        self.maybe(name, Some(value))
    }

    fn maybe(mut self, name: &str, value: Option<AttributeValue>) -> Builder {
        self.0.extend(value.map(|value| (name.to_owned(), value)));
        self
    }

    pub(crate) fn build(self) -> Item {
        self.0
    }
}

/// Reads the fields of an item, or of a map inside one.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Item);

impl<'a> Fields<'a> {
    pub(crate) fn maybe_text(self, name: &str) -> Result<Option<&'a str>, Fault> {
        self.0.get(name).map(|value| value.as_s().map(String::as_str).map_err(|_| self.wrong(name))).transpose()
    }

    pub(crate) fn text(self, name: &str) -> Result<&'a str, Fault> {
        self.maybe_text(name)?.ok_or_else(|| self.wrong(name))
    }

    /// A text that means a `T`.
    pub(crate) fn parsed<T: FromStr>(self, name: &str) -> Result<T, Fault> {
        self.text(name)?.parse().map_err(|_| self.wrong(name))
    }

    pub(crate) fn maybe_parsed<T: FromStr>(self, name: &str) -> Result<Option<T>, Fault> {
        self.maybe_text(name)?.map(|text| text.parse().map_err(|_| self.wrong(name))).transpose()
    }

    /// A text out of a closed list.
    pub(crate) fn named<T>(self, name: &str, find: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        find(self.text(name)?).ok_or_else(|| self.wrong(name))
    }

    pub(crate) fn maybe_named<T>(self, name: &str, find: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Fault> {
        self.maybe_text(name)?.map(|text| find(text).ok_or_else(|| self.wrong(name))).transpose()
    }

    pub(crate) fn maybe_number<T: FromStr>(self, name: &str) -> Result<Option<T>, Fault> {
        let parse = |value: &AttributeValue| value.as_n().ok()?.parse().ok();
        self.0.get(name).map(|value| parse(value).ok_or_else(|| self.wrong(name))).transpose()
    }

    pub(crate) fn number<T: FromStr>(self, name: &str) -> Result<T, Fault> {
        self.maybe_number(name)?.ok_or_else(|| self.wrong(name))
    }

    pub(crate) fn maybe_money(self, name: &str, currency: Currency) -> Result<Option<Money>, Fault> {
        // Databases may print large or tiny numbers with an exponent.
        let parse = |value: &AttributeValue| {
            let text = value.as_n().ok()?;
            let decimal = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)).ok()?;
            Money::parse(&decimal.normalize().to_string(), currency).ok()
        };
        self.0.get(name).map(|value| parse(value).ok_or_else(|| self.wrong(name))).transpose()
    }

    pub(crate) fn money(self, name: &str, currency: Currency) -> Result<Money, Fault> {
        self.maybe_money(name, currency)?.ok_or_else(|| self.wrong(name))
    }

    pub(crate) fn digest(self, name: &str) -> Result<Digest, Fault> {
        let bytes = |value: &AttributeValue| Some(Digest::from_bytes(value.as_b().ok()?.as_ref().try_into().ok()?));
        self.0.get(name).and_then(bytes).ok_or_else(|| self.wrong(name))
    }

    /// A list of maps.
    pub(crate) fn maps(self, name: &str) -> Result<Vec<Fields<'a>>, Fault> {
        let list = self.0.get(name).and_then(|value| value.as_l().ok()).ok_or_else(|| self.wrong(name))?;
        list.iter().map(|value| value.as_m().map(Fields).map_err(|_| self.wrong(name))).collect()
    }

    pub(crate) fn maybe_maps(self, name: &str) -> Result<Vec<Fields<'a>>, Fault> {
        if self.0.contains_key(name) { self.maps(name) } else { Ok(vec![]) }
    }

    pub(crate) fn maybe_map(self, name: &str) -> Result<Option<Fields<'a>>, Fault> {
        self.0.get(name).map(|value| value.as_m().map(Fields).map_err(|_| self.wrong(name))).transpose()
    }

    pub(crate) fn map(self, name: &str) -> Result<Fields<'a>, Fault> {
        self.maybe_map(name)?.ok_or_else(|| self.wrong(name))
    }

    pub(crate) fn texts<C: FromIterator<(String, String)>>(self, name: &str) -> Result<C, Fault> {
        let Some(map) = self.maybe_map(name)? else { return Ok(C::from_iter([])) };
        map.0.keys().map(|key| Ok((key.clone(), map.text(key)?.to_owned()))).collect()
    }

    pub(crate) fn metadata(self) -> Result<Metadata, Fault> {
        Metadata::new(self.texts(METADATA)?).map_err(|_| self.wrong(METADATA))
    }

    /// The fault of an attribute that is missing or not what it should be.
    pub(crate) fn wrong(self, name: &str) -> Fault {
        let key = |name| self.0.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
        Fault::damaged(format!("item {} / {}: attribute {name:?} is missing or not readable", key(PK), key(SK)))
    }
}
