//! The API described by itself, as OpenAPI 3.1: by the types that parse and answer, and with answers that were really made.
//!
//! A function says in its own crate what its routes do ([`Described`]); [`document`] puts them together. What all routes have in
//! common is said here, once. Nothing here is built into a function.

mod movement;
mod operation;
mod problems;
mod story;

pub use movement::{DEBIT, MOVEMENT};
pub use operation::Operation;
pub use story::Story;
pub use utoipa::openapi::OpenApi;

pub use crate::schema::*;
pub use crate::view::AmendedView;

use utoipa::ToSchema as _;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder, Paths, ServerBuilder};

use crate::function::Function;
use crate::problem::ProblemBody;

/// A function whose routes are described.
pub trait Described: Function {
    /// One for each of [`Function::ROUTES`].
    fn operations() -> Vec<Operation>;
}

const ABOUT: &str = "\
Wallets: money comes in, goes out, moves across, and is taken back; exact when many requests meet on one wallet, and once per \
idempotency key for ever.

* **Amounts** are strings at the currency's scale, such as `\"12.50\"`; a JSON number is refused. Times are RFC 3339 in UTC.
* **Once per key.** Each POST needs an `Idempotency-Key`. The first answer is 201; the same key and body again gives 200 with the \
same body and `Idempotent-Replayed: true`. After a lost answer, 500 or 503: send it again with the same key.
* **Unknown fields and query parameters** are refused by name. Bodies have 16 KiB at most.
* **Problems** are `application/problem+json` (RFC 9457). Go by `code`: codes are added, never changed. Answers may gain fields.
* **A token** needs the scope of its route. `wallets:admin` extends the scopes that a token has to the wallets of others, and replaces none.
* Lengths are counted in bytes of UTF-8.";

/// The document of all of `operations`.
#[must_use]
pub fn document(operations: Vec<Operation>) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new();
    let mut tags: Vec<&str> = vec![];
    let (met, elsewhere): (Vec<_>, Vec<_>) = problems::every()
        .into_iter()
        .partition(|problem| operations.iter().any(|operation| operation.codes().contains(&problem.code())));
    for mut operation in operations {
        if !tags.contains(&operation.tag()) {
            tags.push(operation.tag());
        }
        components = components.schemas_from_iter(operation.take_schemas());
        let (method, path) = operation.place();
        paths.add_path_operation(path, vec![method], operation.build());
    }
    components = components.schema(ProblemBody::name(), operation::problem(&elsewhere));
    for problem in met {
        components = components.example(problem.code().as_str(), operation::example(&problem));
    }
    let token = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(
        "A token of the deployment's issuer; `cargo wallet token --sub alice` prints one for the local stack. `sub` is the caller. \
         A route asks for the scope that it names, after the issuer's prefix if it has one.",
    ));
    let components = components.security_scheme(operation::TOKEN, SecurityScheme::Http(token.build())).build();
    let licence = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build();
    let info =
        InfoBuilder::new().title("Wallets").version("v1").description(Some(ABOUT)).license(Some(licence)).build();
    let tags =
        tags.into_iter().map(|name| TagBuilder::new().name(name).description(Some(operation::about(name))).build());
    let server = ServerBuilder::new().url("/").description(Some("Where this page was served")).build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([server]))
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags.collect::<Vec<_>>()))
        .build()
}
