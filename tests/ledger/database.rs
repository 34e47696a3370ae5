//! The database under the tests of the ledger: the embedded one, or an independent implementation over the network.
//!
//! `WALLET_TEST_DYNAMODB=http://127.0.0.1:<port>` names another one, which each test asks for a table of its own, made from
//! `template.yaml`. `infra/second-database` starts one and runs these tests on it.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, ConfigBag, Credentials, Intercept, Region, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::body::SdkBody;
use wallet_dynamodb::Item;
use wallet_stack::template::Template;
use wallet_stack::{Options, REGION, Stack};

const ELSEWHERE: &str = "WALLET_TEST_DYNAMODB";

/// Longer than any machine is busy with other things: what becomes of a call that times out is tried in `tests/faults`.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the date from the table's answers: these tests set clocks of their own, and the table's would contradict them.
#[derive(Debug)]
struct Dateless;

impl Intercept for Dateless {
    fn name(&self) -> &'static str {
        "Dateless"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.response_mut().headers_mut().remove("date");
        Ok(())
    }
}

/// A table of a test's own.
pub(crate) enum Database {
    Embedded(Box<Stack>),
    Elsewhere { url: String, table: String },
}

impl Database {
    pub(crate) async fn start() -> Database {
        let Some(url) = std::env::var(ELSEWHERE).ok().filter(|url| !url.is_empty()) else {
            let stack = Stack::start(Options { deliver: false, ..Options::default() }).await;
            return Database::Embedded(Box::new(stack.expect("a stack starts")));
        };
        let table = format!("wallet-tests-{:016x}", fastrand::u64(..));
        let database = Database::Elsewhere { url, table };
        database.create_table().await;
        database
    }

    /// A client that shares nothing with another.
    pub(crate) fn client(&self) -> Client {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).operation_timeout(PATIENCE).build();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "wallet-tests"))
            .timeout_config(timeouts)
            .interceptor(Dateless)
            .endpoint_url(self.url());
        Client::from_conf(config.build())
    }

    fn url(&self) -> &str {
        match self {
            Database::Embedded(stack) => stack.dynamodb_url(),
            Database::Elsewhere { url, .. } => url,
        }
    }

    pub(crate) fn table(&self) -> &str {
        match self {
            Database::Embedded(stack) => stack.table(),
            Database::Elsewhere { table, .. } => table,
        }
    }

    /// An item that is there.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Item {
        let [pk, sk] = [pk, sk].map(|key| AttributeValue::S(key.to_owned()));
        let get = self.client().get_item().table_name(self.table()).key("PK", pk).key("SK", sk).consistent_read(true);
        get.send().await.expect("the table answers").item.expect("the item exists")
    }

    /// Makes the table as the template has it, which is in the words of the wire already.
    async fn create_table(&self) {
        let mut definition = Template::embedded().expect("the template is whole").table;
        definition["TableName"] = self.table().into();
        let definition = definition.to_string();
        let create = self.client().create_table().table_name(self.table()).customize().mutate_request(move |request| {
            request.headers_mut().insert("content-length", definition.len().to_string());
            *request.body_mut() = SdkBody::from(definition.as_str());
        });
        let created = create.send().await;
        created.unwrap_or_else(|error| panic!("{} of {ELSEWHERE} makes no table: {error:?}", self.url()));
    }
}
