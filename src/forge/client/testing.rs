//! A forge that answers as it is told, for tests.

use std::time::Duration;

use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Client, Patience};

/// A server on this machine.
pub(crate) struct Forge {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
}

/// A patience that tests have.
pub(crate) const HASTY: Patience = Patience {
    connect: Duration::from_secs(2),
    answer: Duration::from_millis(400),
    tries: 4,
    pause: Duration::from_millis(1),
    whole: Duration::from_secs(10),
};

/// A token that must be seen nowhere.
pub(crate) const TOKEN: &str = "ghs_sesame0123456789";

impl Forge {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        Self { runtime, server }
    }

    pub fn mount(&self, mock: Mock) {
        self.runtime.block_on(self.server.register(mock));
    }

    /// Answers `GET` of a path below the API with JSON.
    pub fn get(&self, at: &str, body: Value) {
        self.on("GET", at, ResponseTemplate::new(200).set_body_json(body));
    }

    /// Answers a request.
    pub fn on(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        self.mount(Mock::given(method(verb)).and(path(at)).respond_with(answer));
    }

    /// Answers a request so many times, before what was mounted later.
    pub fn first(&self, times: u64, verb: &str, at: &str, answer: ResponseTemplate) {
        let mock = Mock::given(method(verb)).and(path(at)).respond_with(answer);
        self.mount(mock.up_to_n_times(times).with_priority(1));
    }

    pub fn url(&self) -> String {
        self.server.uri()
    }

    pub fn client(&self) -> Client {
        self.client_with(HASTY)
    }

    pub fn client_with(&self, patience: Patience) -> Client {
        Client::new(&self.server.uri(), TOKEN, "o/r", patience).unwrap()
    }

    /// Every request: `GET /path?query`, and its body.
    pub fn requests(&self) -> Vec<(String, String)> {
        let requests = self.runtime.block_on(self.server.received_requests()).unwrap_or_default();
        let line = |request: &wiremock::Request| {
            let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method, request.url.path())
        };
        requests.iter().map(|request| (line(request), String::from_utf8_lossy(&request.body).into_owned())).collect()
    }

    /// Headers of the requests.
    pub fn headers(&self) -> Vec<http::HeaderMap> {
        let requests = self.runtime.block_on(self.server.received_requests()).unwrap_or_default();
        requests.into_iter().map(|request| request.headers).collect()
    }

    /// The requests that write.
    pub fn written(&self) -> Vec<(String, String)> {
        self.requests().into_iter().filter(|(line, _)| !line.starts_with("GET ")).collect()
    }
}

/// A 40-digit id made of one digit.
pub(crate) fn sha(digit: char) -> String {
    std::iter::repeat_n(digit, 40).collect()
}

/// An account.
pub(crate) fn user(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    serde_json::json!({ "login": login, "type": kind })
}
