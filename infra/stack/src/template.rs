//! What the local stack takes from `template.yaml`: routes, table, queues, event sources and environment.
//!
//! The template is the only list of these, so the local stack cannot drift from what is deployed. It is embedded when
//! this crate is built: `wallet` runs from any directory. Nothing here has a default of its own, save those of AWS.

mod node;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use node::Node;

/// The template as it was when this crate was built.
const EMBEDDED: &str = include_str!("../../../template.yaml");

/// What the local stack needs of the template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Every route of the HTTP API.
    pub routes: Vec<Route>,
    /// The table's definition in the words of `CreateTable`, without its name.
    pub table: Value,
    /// The functions that read queues. The last is the stream's reader, to which records among its dead letters can be driven
    /// back.
    pub consumers: Vec<Consumer>,
    /// The function that reads the table's stream.
    pub reader: StreamReader,
    /// Every environment variable of the functions, at its parameter's default.
    pub environment: BTreeMap<String, String>,
}

/// A method and a path, and the function that answers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Upper case: `POST`.
    pub method: String,
    /// With parameters in braces: `/v1/wallets/{wallet_id}`.
    pub path: String,
    /// The name of the function's binary.
    pub function: String,
    /// The scopes that the API's authorizer accepts on it, any of them.
    pub scopes: Vec<String>,
    /// How long the function may take.
    pub timeout: Duration,
}

impl Route {
    /// As API Gateway names it: `POST /v1/transfers`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A function with a queue as its event source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// The name of the function's binary.
    pub function: String,
    /// What it reads.
    pub queue: QueueSpec,
    /// The most messages that one call gets.
    pub batch_size: u32,
    /// The most calls at once.
    pub concurrency: usize,
    /// How long the function may take.
    pub timeout: Duration,
}

/// A queue and where it puts what cannot be worked off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its logical name.
    pub name: String,
    /// How long a received message stays hidden before it is given out again.
    pub visibility_timeout: Duration,
    /// After so many receives without a delete a message becomes a dead letter.
    pub max_receive_count: u32,
    /// Whether each message sent to it is a dead letter at once.
    pub of_dead_letters: bool,
}

/// A function with the table's stream as its event source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamReader {
    /// The name of the function's binary.
    pub function: String,
    /// The most records that one call gets.
    pub batch_size: usize,
    /// How long the function may take.
    pub timeout: Duration,
    /// Filters as JSON texts; a record passes if any matches.
    pub patterns: Vec<String>,
}

impl Template {
    /// The template that this crate was built with.
    ///
    /// # Errors
    /// When it lacks something that the local stack needs; the message names the resource.
    pub fn embedded() -> Result<Template> {
        Template::parse(EMBEDDED)
    }

    /// A template from its text.
    ///
    /// # Errors
    /// When the text is no YAML, or lacks something that the local stack needs; the message names the resource.
    pub fn parse(text: &str) -> Result<Template> {
        let yaml = serde_norway::from_str(text).context("template.yaml is no valid YAML")?;
        let json = node::long_form(yaml)?;
        let root = Node::root(&json);
        let resources = root.get("Resources")?;

        let mut routes = Vec::new();
        let mut consumers = Vec::new();
        let mut readers = Vec::new();
        let mut environment = variables(&root.find_in(&["Globals", "Function"]))?;
        for (name, resource) in of_type(&resources, "AWS::Serverless::Function")? {
            let function = Function::read(&root, &resource)?;
            let events = resource.get("Properties")?.find("Events").map_or(Ok(Vec::new()), |e| e.members())?;
            // What a schedule calls is a command on this machine, such as `wallet audit`.
            if !events.is_empty() && events.iter().all(|(_, event)| event.value()["Type"] == "Schedule") {
                continue;
            }
            environment.extend(variables(&resource.find("Properties"))?);
            for (_, event) in events {
                match event.get("Type")?.text()?.as_str() {
                    "HttpApi" => routes.push(function.route(&event)?),
                    "SQS" => consumers.push(function.consumer(&resources, &event)?),
                    "DynamoDB" => readers.push(function.reader(&event)?),
                    other => bail!("template.yaml: {name} has an event of type {other}, which the local stack lacks"),
                }
            }
        }
        ensure!(!routes.is_empty(), "template.yaml: no function has an event of type HttpApi");

        let table = one(of_type(&resources, "AWS::DynamoDB::Table")?, "AWS::DynamoDB::Table")?;
        let reader = one(readers, "event source of type DynamoDB")?;
        let own = environment
            .get("DEAD_LETTERS_URL")
            .context("template.yaml: the stream's reader has no DEAD_LETTERS_URL")?;
        consumers.push(reader.again(own));
        Ok(Template { routes, table: create_table(&table.1.get("Properties")?)?, consumers, reader, environment })
    }
}

impl StreamReader {
    /// The stream's reader as the reader of its own dead letters, for those that are driven back.
    fn again(&self, dead_letters: &str) -> Consumer {
        let queue = QueueSpec {
            name: dead_letters.to_owned(),
            visibility_timeout: self.timeout,
            max_receive_count: 5,
            of_dead_letters: true,
        };
        Consumer { function: self.function.clone(), queue, batch_size: 10, concurrency: 1, timeout: self.timeout }
    }
}

/// A function's binary and its time-out.
struct Function {
    binary: String,
    timeout: Duration,
}

impl Function {
    fn read(root: &Node<'_>, resource: &Node<'_>) -> Result<Function> {
        let own = resource.get("Properties")?.find("Timeout");
        let timeout_s = match own.or_else(|| root.find_in(&["Globals", "Function", "Timeout"])) {
            Some(timeout) => timeout.whole_number()?,
            None => 3,
        };
        let binary = resource.get("Metadata")?.get("BuildProperties")?.get("Binary")?.text()?;
        Ok(Function { binary, timeout: Duration::from_secs(timeout_s.into()) })
    }

    fn route(&self, event: &Node<'_>) -> Result<Route> {
        let properties = event.get("Properties")?;
        let method = properties.get("Method")?.text()?.to_uppercase();
        let path = properties.get("Path")?.text()?;
        ensure!(
            path.starts_with('/') && !path.contains("+}") && axum::http::Method::from_bytes(method.as_bytes()).is_ok(),
            properties.complaint(format!("routes `{method} {path}`, which the local stack cannot"))
        );
        let scopes = match properties.find_in(&["Auth", "AuthorizationScopes"]) {
            Some(scopes) => scopes.items()?.iter().map(Node::text).collect::<Result<_>>()?,
            None => Vec::new(),
        };
        Ok(Route { method, path, function: self.binary.clone(), scopes, timeout: self.timeout })
    }

    /// The function as one that reads a queue.
    fn consumer(&self, resources: &Node<'_>, event: &Node<'_>) -> Result<Consumer> {
        let properties = event.get("Properties")?;
        reports_failures(&properties)?;
        let batch_size = properties.find("BatchSize").map_or(Ok(10), |size| size.whole_number())?;
        let concurrency = properties.get("ScalingConfig")?.get("MaximumConcurrency")?.whole_number()?;
        let queue = queue_spec(resources, properties.get("Queue")?.target()?)?;
        let (function, concurrency) = (self.binary.clone(), usize::try_from(concurrency)?);
        Ok(Consumer { function, queue, batch_size, concurrency, timeout: self.timeout })
    }

    /// The function as one that reads the table's stream.
    fn reader(&self, event: &Node<'_>) -> Result<StreamReader> {
        let properties = event.get("Properties")?;
        reports_failures(&properties)?;
        let batch_size = usize::try_from(properties.get("BatchSize")?.whole_number()?)?;
        let filters = properties.get("FilterCriteria")?.get("Filters")?.items()?;
        let patterns = filters.iter().map(|filter| filter.get("Pattern")?.text()).collect::<Result<_>>()?;
        Ok(StreamReader { function: self.binary.clone(), batch_size, timeout: self.timeout, patterns })
    }
}

fn reports_failures(event: &Node<'_>) -> Result<()> {
    let responses = event.get("FunctionResponseTypes")?;
    ensure!(
        responses.items()?.iter().any(|kind| kind.value() == "ReportBatchItemFailures"),
        responses.complaint("must hold ReportBatchItemFailures")
    );
    Ok(())
}

fn of_type<'a>(resources: &Node<'a>, kind: &str) -> Result<Vec<(&'a str, Node<'a>)>> {
    let mut members = resources.members()?;
    members.retain(|(_, resource)| resource.value()["Type"] == kind);
    Ok(members)
}

fn one<T>(mut found: Vec<T>, what: &str) -> Result<T> {
    ensure!(found.len() == 1, "template.yaml: the local stack needs exactly one {what}, and finds {}", found.len());
    Ok(found.remove(0))
}

fn variables(owner: &Option<Node<'_>>) -> Result<BTreeMap<String, String>> {
    let Some(variables) = owner.as_ref().and_then(|owner| owner.find_in(&["Environment", "Variables"])) else {
        return Ok(BTreeMap::new());
    };
    let set = |(name, value): (&str, Node<'_>)| Ok(value.chosen()?.map(|value| Ok((name.to_owned(), value.text()?))));
    variables.members()?.into_iter().map(set).filter_map(Result::transpose).map(Result::flatten).collect()
}

fn create_table(properties: &Node<'_>) -> Result<Value> {
    let view = properties.get("StreamSpecification")?.get("StreamViewType")?.text()?;
    let mut request = json!({
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": properties.get("KeySchema")?.value(),
        "AttributeDefinitions": properties.get("AttributeDefinitions")?.value(),
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": view},
    });
    if let Some(indexes) = properties.find("GlobalSecondaryIndexes") {
        request["GlobalSecondaryIndexes"] = indexes.value().clone();
    }
    Ok(request)
}

fn queue_spec(resources: &Node<'_>, name: &str) -> Result<QueueSpec> {
    let properties = resources.get(name)?.get("Properties")?;
    let redrive = properties.get("RedrivePolicy")?;
    redrive.get("deadLetterTargetArn")?.target()?;
    let visibility_s = properties.find("VisibilityTimeout").map_or(Ok(30), |seconds| seconds.whole_number())?;
    Ok(QueueSpec {
        name: name.to_owned(),
        visibility_timeout: Duration::from_secs(visibility_s.into()),
        max_receive_count: redrive.get("maxReceiveCount")?.whole_number()?,
        of_dead_letters: false,
    })
}

#[cfg(test)]
mod tests;
