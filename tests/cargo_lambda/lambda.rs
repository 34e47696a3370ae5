//! Lambda in small: every function behind the Invoke API, on one table, and a memory of what they were given.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent, Request, Service as _, service_fn};
use serde_json::Value;
use tokio::net::TcpListener;
use wallet_dynamodb::Ledger;
use wallet_lambda::{App, Settings, work};
use wallet_rebate::Rebate;
use wallet_stack::{Stack, invoke};

/// The functions, at a URL.
#[derive(Clone)]
pub(super) struct Lambda {
    pub(super) url: String,
    app: Arc<OnceLock<App>>,
    /// The events so far, each with the name of the function that was given it.
    given: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Lambda {
    /// Serves at once; [`Lambda::uses`] says which table.
    pub(super) async fn start() -> Lambda {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let lambda = Lambda { url, app: Arc::default(), given: Arc::default() };
        let router = Router::new()
            .route("/2015-03-31/functions/{function}/invocations", post(invoked))
            .with_state(lambda.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        lambda
    }

    /// From now on the functions work on the table of `stack`.
    pub(super) fn uses(&self, stack: &Stack) {
        let mut environment = wallet_stack::template::Template::embedded().expect("a template").environment;
        environment.insert("TABLE_NAME".to_owned(), stack.table().to_owned());
        let settings = Settings::from_vars(|name| environment.get(name).cloned()).expect("the template's settings");
        let app = App::new(Ledger::new(stack.own_client(), stack.table()), settings);
        assert!(self.app.set(app).is_ok(), "once");
    }

    /// What `function` answers to `event`, as Lambda hands it back.
    pub(super) async fn invoke(&self, function: &str, event: &str) -> Value {
        let app = self.app.get().expect("a table");
        if function == "rebate" {
            let event = serde_json::from_str(event).expect("a batch");
            return serde_json::to_value(work::<Rebate>(app, event).await.response).expect("JSON");
        }
        http(function, app, event).await
    }

    /// The event that was given last.
    pub(super) fn last(&self) -> Value {
        self.given.lock().expect("no panic").last().expect("an event").1.clone()
    }

    /// The event that `function` was given last.
    pub(super) fn last_of(&self, function: &str) -> Value {
        let given = self.given.lock().expect("no panic");
        given.iter().rev().find(|(name, _)| name == function).expect("an event").1.clone()
    }
}

async fn invoked(State(lambda): State<Lambda>, Path(function): Path<String>, event: String) -> String {
    let given = (function.clone(), serde_json::from_str(&event).expect("JSON"));
    lambda.given.lock().expect("no panic").push(given);
    lambda.invoke(&function, &event).await.to_string()
}

/// Through the same adapter that the runtime puts around a function.
async fn http(function: &str, app: &App, event: &str) -> Value {
    let request: LambdaRequest = serde_json::from_str(event).expect("an event");
    let service = service_fn(async |request: Request| Ok::<_, Infallible>(invoke(function, app, request).await));
    let mut adapter = Adapter::from(service);
    let Ok(response) = adapter.call(LambdaEvent::new(request, Context::default())).await;
    serde_json::to_value(response).expect("JSON")
}
