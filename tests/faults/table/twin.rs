//! The embedded database beside the table in memory: what they answer to the same requests must be the same.

use dynoxide::Database;
use serde_json::{Value, json};
use wallet_stack::TABLE;
use wallet_stack::template::Template;

pub(super) struct Twin(Database);

impl Twin {
    pub(super) fn new() -> Twin {
        let database = Database::memory().expect("memory is there");
        let mut table = Template::embedded().expect("the template is whole").table;
        table["TableName"] = TABLE.into();
        // Nobody reads the stream here.
        if let Some(table) = table.as_object_mut() {
            table.remove("StreamSpecification");
        }
        let request = serde_json::from_value(table).expect("the template's table");
        database.create_table(request).expect("an empty database takes a table");
        Twin(database)
    }

    /// Sends the twin what was answered with `status` and `answer`.
    pub(super) fn agrees(&self, operation: &str, request: &Value, status: u16, answer: &Value) {
        let (twin_status, twin) = self.run(operation, request);
        assert_eq!((status, said(answer)), (twin_status, said(&twin)), "{operation} {request:#}");
    }

    fn run(&self, operation: &str, request: &Value) -> (u16, Value) {
        fn run<Q: serde::de::DeserializeOwned, A: serde::Serialize>(
            request: &Value,
            operation: impl FnOnce(Q) -> dynoxide::Result<A>,
        ) -> (u16, Value) {
            match operation(serde_json::from_value(request.clone()).expect("the SDK's requests are well-formed")) {
                Ok(answer) => (200, serde_json::to_value(answer).expect("answers are JSON")),
                Err(error) => (error.status_code(), serde_json::from_str(&error.to_json()).expect("errors are JSON")),
            }
        }
        let database = &self.0;
        match operation {
            "TransactWriteItems" => run(request, |request| database.transact_write_items(request)),
            "TransactGetItems" => run(request, |request| database.transact_get_items(request)),
            "BatchGetItem" => run(request, |request| database.batch_get_item(request)),
            "GetItem" => run(request, |request| database.get_item(request)),
            "Query" => run(request, |request| database.query(request)),
            other => panic!("the ledger never calls {other}"),
        }
    }
}

/// The parts of an answer that say something: items and reasons, and not what it cost.
fn said(answer: &Value) -> Value {
    let reasons: Vec<_> = answer["CancellationReasons"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|reason| json!([reason["Code"], reason["Item"]]))
        .collect();
    let mut batch: Vec<_> = answer["Responses"][TABLE].as_array().cloned().unwrap_or_default();
    batch.sort_by_key(Value::to_string);
    let more = !answer["LastEvaluatedKey"].is_null();
    let together =
        answer["Responses"].as_array().map(|found| found.iter().map(|found| &found["Item"]).collect::<Vec<_>>());
    json!([reasons, batch, together, answer["Item"], answer["Items"], more])
}
