//! For tests: requests made as Lambda makes them, from API Gateway's own event.

use lambda_http::Request;
use serde_json::{Value, json};

use crate::call::Call;
use crate::claims::Claims;
use crate::log::Line;
use crate::route::Route;

/// An event, to be changed and then read.
pub(crate) struct Event(Value);

/// A GET by alice, who may everything but administer.
pub(crate) fn get(path: &str) -> Event {
    event("GET", path)
}

/// A POST of JSON by alice.
pub(crate) fn post(path: &str, body: &Value) -> Event {
    event("POST", path)
        .with("/body", json!(body.to_string()))
        .header("content-type", "application/json")
        .header("idempotency-key", "key-1")
}

fn event(method: &str, uri: &str) -> Event {
    let captured = include_str!("../tests/data/http_api.json");
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    Event(serde_json::from_str(captured).expect("JSON"))
        .with("/rawPath", json!(path))
        .with("/rawQueryString", json!(query))
        .with("/requestContext/http/path", json!(path))
        .with("/requestContext/http/method", json!(method))
        .routed(&format!("{method} {path}"), json!({}))
}

impl Event {
    /// With the value at `pointer`, which is there already, changed.
    pub(crate) fn with(mut self, pointer: &str, value: Value) -> Event {
        *self.0.pointer_mut(pointer).expect("the event has it") = value;
        self
    }

    /// As the gateway routed it.
    pub(crate) fn routed(mut self, key: &str, parameters: Value) -> Event {
        self.0["pathParameters"] = parameters;
        self.with("/routeKey", json!(key)).with("/requestContext/routeKey", json!(key))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Event {
        self.0["headers"][name] = json!(value);
        self
    }

    pub(crate) fn request(&self) -> Request {
        crate::request::request(&self.0.to_string()).expect("an event")
    }

    /// The call that a function with the one route `key` sees.
    pub(crate) fn call(&self, key: &'static str) -> Call {
        let request = self.request();
        let route = Route::of(&[(key, &[])], &request).expect("the route's own");
        let claims = Claims::of(&request, "").expect("claims");
        Call::read(request, claims, route, &mut Line::default()).expect("a good request")
    }
}
