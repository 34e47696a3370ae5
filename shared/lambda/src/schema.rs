//! The texts and labels of bodies and answers as schemas, each as the domain parses or prints it.
//!
//! JSON Schema counts characters where the domain counts bytes, and knows no currency's scale: there it says less than holds.

use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};
use wallet_domain::{Credits as CreditsMode, Status as WalletStatus};
use wallet_dynamodb::Strategy;

/// Makes a schema of texts: its name, what is said of it, what else the builder is told, an example.
macro_rules! texts {
    ($($name:ident $about:literal $example:literal $build:expr;)*) => {
        $(
            #[doc = $about]
            #[derive(Debug)]
            pub struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let text = ObjectBuilder::new().schema_type(Type::String).description(Some($about));
                    let build: fn(ObjectBuilder) -> ObjectBuilder = $build;
                    RefOr::T(Schema::Object(build(text).examples([json!($example)]).build()))
                }
            }

            impl ToSchema for $name {}
        )*
    };
}

/// Any characters but control characters.
const PRINTABLE: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";
const POSITIVE: &str =
    r"^([1-9][0-9]{0,17}(\.[0-9]{1,4})?|0\.([1-9][0-9]{0,3}|0[1-9][0-9]{0,2}|00[1-9][0-9]?|000[1-9]))$";
/// Printable ASCII but quotes and backslashes; bare, no space at either end.
const KEY: &str = r##"^("[ !#-\[\]-~]{1,255}"|[!#-\[\]-~]([ !#-\[\]-~]{0,253}[!#-\[\]-~])?)$"##;

texts! {
    WalletId "A wallet's id" "wal_14954bb8def5d1ca5833a3711f8a6bd8"
        |text| text.pattern(Some("^wal_[0-9a-f]{32}$"));
    TransactionId "A transaction's id" "txn_82eacf7bf93d30017ccc42998e23720f"
        |text| text.pattern(Some("^txn_[0-9a-f]{32}$"));
    Currency "ISO 4217 code of a currency with minor units" "EUR"
        |text| text.pattern(Some("^[A-Z]{3}$"));
    Money "In the currency's major unit, at its full scale, of either sign" "12.50"
        |text| text.pattern(Some(r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,4})?$"));
    Amount "In the currency's major unit, above zero, with no more decimals than the currency has" "12.50"
        |text| text.pattern(Some(POSITIVE));
    NotNegative "In the currency's major unit, zero or more" "1000.00"
        |text| text.pattern(Some(r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,4})?$"));
    NotPositive "In the currency's major unit, zero or less" "-50.00"
        |text| text.pattern(Some(r"^(-(0|[1-9][0-9]{0,17})(\.[0-9]{1,4})?|0(\.0{1,4})?)$"));
    Owner "Whose it is: the `sub` of a token. 1 to 128 bytes without control characters" "alice"
        |text| text.min_length(Some(1)).max_length(Some(128)).pattern(Some(PRINTABLE));
    Reference "The caller's own name for it, such as an order number. 1 to 128 bytes without control characters" "order 1"
        |text| text.min_length(Some(1)).max_length(Some(128)).pattern(Some(PRINTABLE));
    LockingStrategy "How the request is isolated from others; the deployment's choice if absent" "optimistic"
        |text| text.enum_values(Some([Strategy::Optimistic, Strategy::Pessimistic].map(Strategy::as_str)));
    Status "A frozen wallet takes credits and refuses debits; a closed one refuses both, for ever" "active"
        |text| text.enum_values(Some([WalletStatus::Active, WalletStatus::Frozen, WalletStatus::Closed].map(WalletStatus::as_str)));
    Credits "How money comes in: each credit makes a version of its own, or many are settled together" "immediate"
        |text| text.enum_values(Some([CreditsMode::Immediate, CreditsMode::Batched].map(CreditsMode::as_str)));
    HoldStatus "Only `active` changes; by the reader's clock it is `expired` from its end on" "active"
        |text| text.enum_values(Some(["active", "captured", "voided", "expired"]));
    Kind "Which kind of transaction, such as deposit, withdrawal, transfer, rebate, reversal, opening, amendment. Kinds are added" "transfer"
        |text| text.min_length(Some(1)).max_length(Some(16));
    Outcome "Whether it moved money, or is the record of a refusal" "posted"
        |text| text.enum_values(Some(["posted", "failed"]));
    Waiting "It is accepted, and waits to be executed" "queued"
        |text| text.enum_values(Some(["queued"]));
    Preference "Preferences (RFC 7240), of which `respond-async` is heeded: the answer is 202, and the request waits" "respond-async"
        |text| text;
    RebateOutcome "What came of it: `pending` until it is on record" "posted"
        |text| text.enum_values(Some(["pending", "posted", "failed"]));
    Time "RFC 3339 in UTC, to the millisecond" "2026-11-21T03:07:00.050Z"
        |text| text.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    Hash "SHA-256 in hexadecimal digits" "0000000000000000000000000000000000000000000000000000000000000000"
        |text| text.pattern(Some("^[0-9a-f]{64}$"));
    IdempotencyKey "1 to 255 printable ASCII characters, bare or in double quotes, which are not part of it" "order-1"
        |text| text.pattern(Some(KEY));
    EntityTag "A wallet's version with its quotes, as `ETag` gives it" "\"2\""
        |text| text.pattern(Some(r#"^"(0|[1-9][0-9]{0,18})"$"#));
    AnyEntityTag "A wallet's version with its quotes, or `*` for whatever version, which then wants an `Idempotency-Key`" "\"2\""
        |text| text.pattern(Some(r#"^(\*|"(0|[1-9][0-9]{0,18})")$"#));
    Flag "`true` or `false`" "true"
        |text| text.enum_values(Some(["true", "false"]));
    Cursor "The `next_cursor` of the page before, as it came" "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        |text| text.min_length(Some(1)).pattern(Some("^[0-9A-Za-z_-]+$"));
}

/// The caller's labels: text to text, 512 bytes of names and values.
#[derive(Debug)]
pub struct Labels;

impl PartialSchema for Labels {
    fn schema() -> RefOr<Schema> {
        let text = |least| {
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(least)).max_length(Some(512)).build()
        };
        let label: RefOr<Schema> = RefOr::T(Schema::Object(text(0)));
        let labels: Object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("The caller's labels: text to text, 512 bytes of names and values"))
            .property_names(Some(Schema::Object(text(1))))
            .additional_properties(Some(AdditionalProperties::RefOr(label)))
            .examples([json!({"shop": "7"})])
            .build();
        RefOr::T(Schema::Object(labels))
    }
}

impl ToSchema for Labels {}
