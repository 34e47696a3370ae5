//! One route: what it takes, what it answers, and which problems it has.

use std::collections::{BTreeMap, BTreeSet};

use lambda_http::Body;
use lambda_http::http::{HeaderMap, Response, StatusCode};
use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{self, HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AnyOfBuilder, Array, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Ref, RefOr, Required, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use wallet_domain::{Caller, Command, Transaction};
use wallet_dynamodb::Done;

use super::problems;
use super::story::Story;
use crate::call::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::problem::{Code, Problem, ProblemBody, problem_response};
use crate::reply::Reply;
use crate::schema::{AnyEntityTag, Cursor, EntityTag, Flag, IdempotencyKey, Preference, TransactionId, WalletId};
use crate::view::QueuedView;

type Schemas = Vec<(String, RefOr<Schema>)>;

/// What the security scheme is called.
pub(super) const TOKEN: &str = "token";

/// Of which the examples are the answers.
const REQUEST_ID: &str = "ZfQ1jhYJliAEPxA=";

/// What is said of each tag.
const TAGS: [(&str, &str); 3] = [
    ("Wallets", "Opened, shown, amended, and what happened to them"),
    ("Movements", "Of money: each posts whole, or not at all"),
    ("Holds", "Money that is kept back for a payee until it is captured, given up, or released in time"),
];

/// What is said of each header of an answer, and its schema.
const HEADERS: [(&str, &str); 6] = [
    ("location", "The path of what was made"),
    ("etag", "The wallet's version, for `If-Match`"),
    ("idempotent-replayed", "`true`: the answer to an earlier request; nothing has moved now"),
    ("preference-applied", "`respond-async`: it waits, as preferred"),
    ("retry-after", "Seconds to wait before the same request is sent again"),
    ("www-authenticate", "What is wrong with the token, or the scope that it lacks (RFC 6750)"),
];

/// What may go wrong on every route.
const ALWAYS: [Code; 6] = [
    Code::MalformedRequest,
    Code::Unauthenticated,
    Code::MissingScope,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::Throttled,
];
/// What may go wrong where a body is read.
const READING: [Code; 2] = [Code::BodyTooLarge, Code::UnsupportedMediaType];
/// What may go wrong where something is written.
const WRITING: [Code; 4] = [Code::ConcurrencyConflict, Code::LockTimeout, Code::ClockSkew, Code::OutcomeUnknown];

/// One route.
pub struct Operation {
    method: HttpMethod,
    path: &'static str,
    tag: &'static str,
    inner: OperationBuilder,
    body: Option<RequestBody>,
    answers: BTreeMap<u16, Answer>,
    codes: Vec<Code>,
    keyed: bool,
    schemas: Schemas,
}

/// Everything that is answered with one status.
struct Answer {
    about: &'static str,
    schema: RefOr<Schema>,
    headers: BTreeSet<&'static str>,
    example: Value,
}

impl Operation {
    /// The route `key`, such as `POST /v1/transfers`, which asks for `scope`. `id` names it in programs.
    ///
    /// # Panics
    /// When `key` is no route.
    #[must_use]
    pub fn new(key: &'static str, tag: &'static str, id: &str, summary: &str, scope: &str) -> Operation {
        let (method, path) = key.split_once(' ').expect("a method and a path");
        let method = match method {
            "GET" => HttpMethod::Get,
            "POST" => HttpMethod::Post,
            "PATCH" => HttpMethod::Patch,
            other => unreachable!("{other} is no method of ours"),
        };
        let inner = OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary));
        let inner = inner.security(SecurityRequirement::new(TOKEN, [scope]));
        let (answers, codes) = (BTreeMap::new(), ALWAYS.to_vec());
        let operation =
            Operation { method, path, tag, inner, body: None, answers, codes, keyed: false, schemas: vec![] };
        path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).fold(
            operation,
            |operation, name| match name {
                "wallet_id" => operation.parameter::<WalletId>(ParameterIn::Path, name, true, "Which wallet"),
                _ => operation.parameter::<TransactionId>(ParameterIn::Path, name, true, "Which transaction"),
            },
        )
    }

    /// What else is to be said.
    #[must_use]
    pub fn about(mut self, text: &str) -> Operation {
        self.inner = self.inner.description(Some(text));
        self
    }

    /// It needs an `Idempotency-Key`.
    #[must_use]
    pub fn keyed(mut self) -> Operation {
        self.keyed = true;
        self.codes.extend([Code::IdempotencyKeyMissing, Code::IdempotencyKeyReused]);
        let about = "Names the request for ever: a new one for each new request, the same one to repeat a request";
        self.parameter::<IdempotencyKey>(ParameterIn::Header, "Idempotency-Key", true, about)
    }

    /// It takes an `If-Match`.
    #[must_use]
    pub fn pinned(mut self) -> Operation {
        self.codes.push(Code::VersionMismatch);
        let about = "The version that the (source) wallet must be at";
        self.parameter::<EntityTag>(ParameterIn::Header, "If-Match", false, about)
    }

    /// It needs an `If-Match`, which names the request; where it is `*`, an `Idempotency-Key` does.
    #[must_use]
    pub fn versioned(mut self) -> Operation {
        self.codes.extend([Code::VersionMismatch, Code::PreconditionRequired]);
        self.codes.extend([Code::IdempotencyKeyMissing, Code::IdempotencyKeyReused]);
        let about = "The version that the wallet must be at";
        let operation = self.parameter::<AnyEntityTag>(ParameterIn::Header, "If-Match", true, about);
        let about = "Names the request for ever, where `If-Match` is `*`";
        operation.parameter::<IdempotencyKey>(ParameterIn::Header, "Idempotency-Key", false, about)
    }

    /// It takes a `T`, such as `example`, and writes.
    ///
    /// # Panics
    /// When `example` is no JSON.
    #[must_use]
    pub fn takes<T: ToSchema>(mut self, example: &str) -> Operation {
        let example = serde_json::from_str(example).expect("JSON");
        let content = ContentBuilder::new().schema(Some(self.refer::<T>())).example(Some(example)).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        self.body = Some(body.build());
        self.codes.extend(READING);
        self.codes.extend(WRITING);
        self
    }

    /// A command on it ends with `transaction`, which is shown to `reader` as a `T`.
    ///
    /// # Panics
    /// When it is a refusal.
    #[must_use]
    pub fn ends<T: ToSchema>(self, transaction: Transaction, reader: &Caller) -> Operation {
        let told = |done| Reply::done(&done, reader).expect("nothing in a story is refused");
        let first = told(Done::Executed(transaction.clone()));
        let again = told(Done::Replayed(transaction));
        let about = "It is done: now, or by the same request before (`Idempotent-Replayed`)";
        match first.status() == again.status() {
            true => self.answers::<T>(about, first).answers::<T>(about, again),
            false => self
                .answers::<T>("It is done", first)
                .answers::<T>("It was done by the same request before; nothing has moved now", again),
        }
    }

    /// It answers with a `T`, such as `reply`.
    #[must_use]
    pub fn answers<T: ToSchema>(mut self, about: &'static str, reply: Reply) -> Operation {
        let schema = self.refer::<T>();
        self.add(about, schema, reply.into_response());
        self
    }

    /// It takes the query parameter `name`, or needs it.
    #[must_use]
    pub fn asks<T: PartialSchema>(self, name: &str, needed: bool, about: &str) -> Operation {
        self.parameter::<T>(ParameterIn::Query, name, needed, about)
    }

    /// It takes `dry_run`, and then only decides.
    #[must_use]
    pub fn may_be_dry(self) -> Operation {
        let about = "`true`: answer 200 with what would be posted, or the refusal; write nothing, and need no `Idempotency-Key`";
        self.asks::<Flag>("dry_run", false, about)
    }

    /// It lets `command`, of `story`, wait if the caller prefers that.
    ///
    /// # Panics
    /// When `command` is one that never waits.
    #[must_use]
    pub fn may_wait(mut self, story: &Story, command: &Command) -> Operation {
        self.codes.push(Code::RequestExpired);
        let request = command.request(story.now()).expect("it is not refused").expect("it may wait");
        let schema = self.refer::<QueuedView<'_>>();
        for before in [false, true] {
            let about = "It waits to be executed, as preferred; `Location` tells what comes of it";
            self.add(about, schema.clone(), Reply::queued(&request, before).into_response());
        }
        let about = "`respond-async`: don't wait for it to be executed. Ignored with `If-Match`";
        self.parameter::<Preference>(ParameterIn::Header, "Prefer", false, about)
    }

    /// It answers some with a `T` instead.
    #[must_use]
    pub fn or<T: ToSchema>(mut self) -> Operation {
        let other = self.refer::<T>();
        for answer in self.answers.values_mut() {
            let either = AnyOfBuilder::new().item(answer.schema.clone()).item(other.clone()).build();
            answer.schema = RefOr::T(Schema::AnyOf(either));
        }
        self
    }

    /// It takes `limit` and `cursor`, and answers with a page of `T`, such as `reply`.
    ///
    /// # Panics
    /// When `reply` is no page.
    #[must_use]
    pub fn pages<T: ToSchema>(mut self, about: &'static str, reply: Reply) -> Operation {
        self.codes.push(Code::InvalidCursor);
        let response = reply.into_response();
        let page: Value = serde_json::from_slice(response.body()).expect("JSON");
        let fields = page.as_object().expect("an object");
        let name = fields.keys().find(|name| *name != "next_cursor").expect("a page names its items").clone();
        let items = Array::new(self.refer::<T>());
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("For the next page, as it is; `null` on the last"));
        let schema = ObjectBuilder::new()
            .property(&name, items)
            .required(&name)
            .property("next_cursor", next)
            .required("next_cursor");
        self.add(about, RefOr::T(Schema::Object(schema.build())), response);
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX_LIMIT))
            .default(Some(DEFAULT_LIMIT.into()));
        let limit = ParameterBuilder::new()
            .name("limit")
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some("How many items at most"))
            .schema(Some(Schema::Object(limit.build())));
        self.inner = self.inner.parameter(limit.build());
        self.parameter::<Cursor>(ParameterIn::Query, "cursor", false, "Where to go on; the first page without it")
    }

    /// It may answer with these problems, beside those that come with what it takes.
    #[must_use]
    pub fn problems(mut self, codes: &[Code]) -> Operation {
        self.codes.extend_from_slice(codes);
        self
    }

    pub(super) fn codes(&self) -> &[Code] {
        &self.codes
    }

    pub(super) fn place(&self) -> (HttpMethod, &'static str) {
        (self.method.clone(), self.path)
    }

    pub(super) fn tag(&self) -> &'static str {
        self.tag
    }

    pub(super) fn take_schemas(&mut self) -> Schemas {
        self.refer::<ProblemBody<'static>>();
        std::mem::take(&mut self.schemas)
    }

    pub(super) fn build(self) -> path::Operation {
        let mut inner = self.inner.request_body(self.body);
        for (status, Answer { about, schema, headers, example }) in self.answers {
            let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
            let response = ResponseBuilder::new().description(about).content("application/json", content);
            inner = inner.response(status.to_string(), with_headers(response, &headers));
        }
        let mut problems = BTreeMap::<u16, (Vec<Code>, BTreeSet<&'static str>)>::new();
        for problem in problems::every().iter().filter(|problem| self.codes.contains(&problem.code())) {
            let (codes, headers) = problems.entry(problem.code().status().as_u16()).or_default();
            headers.extend(known(problem_response(problem, REQUEST_ID).headers()));
            // Refusals are recorded, and replayed.
            if self.keyed && problem.code().status() == StatusCode::UNPROCESSABLE_ENTITY {
                headers.insert("idempotent-replayed");
            }
            if !codes.contains(&problem.code()) {
                codes.push(problem.code());
            }
        }
        for (status, (codes, headers)) in problems {
            let name =
                |code: &Code| (code.as_str(), RefOr::Ref(Ref::new(format!("#/components/examples/{}", code.as_str()))));
            let schema = Ref::from_schema_name(ProblemBody::name());
            let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(codes.iter().map(name)).build();
            let told: Vec<_> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect();
            let response =
                ResponseBuilder::new().description(told.join(". ")).content("application/problem+json", content);
            inner = inner.response(status.to_string(), with_headers(response, &headers));
        }
        inner.build()
    }

    fn add(&mut self, about: &'static str, schema: RefOr<Schema>, response: Response<Body>) {
        let example = serde_json::from_slice(response.body()).expect("answers are JSON");
        let answer = self.answers.entry(response.status().as_u16());
        let answer = answer.or_insert(Answer { about, schema, headers: BTreeSet::new(), example });
        answer.headers.extend(known(response.headers()));
    }

    /// A reference to the schema of `T`, which becomes part of the document with all that it refers to.
    fn refer<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }

    fn parameter<T: PartialSchema>(mut self, place: ParameterIn, name: &str, needed: bool, about: &str) -> Operation {
        let mut schema = T::schema();
        // The page fills in what has an example: what may be left out is.
        let example = match &mut schema {
            RefOr::T(Schema::Object(text)) => std::mem::take(&mut text.examples).pop().filter(|_| needed),
            _ => None,
        };
        let parameter: Parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(if needed { Required::True } else { Required::False })
            .description(Some(about))
            .schema(Some(schema))
            .example(example)
            .build();
        self.inner = self.inner.parameter(parameter);
        self
    }
}

fn known(headers: &HeaderMap) -> impl Iterator<Item = &'static str> {
    HEADERS.into_iter().map(|(name, _)| name).filter(|name| headers.contains_key(*name))
}

fn with_headers(response: ResponseBuilder, headers: &BTreeSet<&'static str>) -> ResponseBuilder {
    let told = HEADERS.into_iter().filter(|(name, _)| headers.contains(name));
    told.fold(response, |response, (name, about)| {
        let kind = if name == "retry-after" { Type::Integer } else { Type::String };
        let schema = Schema::Object(ObjectBuilder::new().schema_type(kind).build());
        response.header(name, HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build())
    })
}

/// What is said of a tag.
pub(super) fn about(tag: &str) -> &'static str {
    TAGS.into_iter().find(|(name, _)| *name == tag).map_or("", |(_, about)| about)
}

/// A problem as it is answered.
pub(super) fn example(problem: &Problem) -> Example {
    ExampleBuilder::new().summary(problem.code().title()).value(Some(body(problem))).build()
}

/// The schema of problems. `elsewhere` are those that no route answers with by itself.
pub(super) fn problem(elsewhere: &[Problem]) -> RefOr<Schema> {
    let mut schema = ProblemBody::schema();
    if let RefOr::T(Schema::AllOf(all)) = &mut schema {
        all.examples = elsewhere.iter().map(body).collect();
    }
    schema
}

fn body(problem: &Problem) -> Value {
    serde_json::from_slice(problem_response(problem, REQUEST_ID).body()).expect("problems are JSON")
}
