//! The one place that speaks to GitHub's API, through octocrab, which sets the token and the address on every request
//! and sends it with a reqwest client.
//!
//! What is asked, and how an answer is read, is in `calls.rs` (one method a question) and `answer.rs`. What holds for
//! every request is here:
//!
//! - **Where.** Only at the address the runner names (`GITHUB_API_URL`), with https unless it is this machine. A redirect
//!   is followed by hand, at most five times, and only to the same scheme, host and port; a request that writes is only
//!   repeated where the status says that the method stands (307, 308).
//! - **The token** is held by octocrab alone; no error shows it, and no address holds it.
//! - **How long, how much.** A request has [`Patience::answer`]; an answer over [`LARGEST`] bytes is not read.
//! - **Again.** 5xx, time-outs, broken connections and rate limits are asked again, after a growing pause or what the forge
//!   says (`retry-after`, the time of the reset, else a minute), at most [`Patience::tries`] times. All waiting of a client
//!   together is bounded by [`Patience::whole`], so that many requests cannot each wait that long. A forge that could not
//!   be reached, or that limits the rate for longer than that, is not asked any further: each later request fails at
//!   once. A request that writes may so be made twice; of two comments one is removed by the next run ([`super::talk`]).
//! - **Pages.** 100 a page, at most [`MOST_PAGES`]. The next page is asked for at *our* address: of `Link` only the
//!   number or cursor is taken, and only where it names the same host and the same list (GitHub itself writes
//!   `/repositories/<id>/…` for `/repos/<owner>/<name>/…`). A full page without `Link` is followed by a look at the next.
//!   A list that does not end within the cap is *not read*: there is no part of a list.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method};
use octocrab::service::middleware::auth_header::AuthHeaderLayer;
use octocrab::service::middleware::reqwest_connector::ReqwestConnector;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use reqwest::{Client as Http, Url, redirect};
use serde::de::DeserializeOwned;

mod answer;
mod calls;
#[cfg(test)]
mod prism;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod types;

use crate::model::review::is_name;
use answer::{Answer, Next, Outcome};
pub use answer::{Failed, Kind, plain};
pub use calls::CheckRun;
pub use types::{Activity, CheckRunSeen, Comment, Commit, Object, PullRequest, Review, Tree, User};

/// Largest answer, in bytes. GitHub's own largest are trees, 7 MB (REST API, "Get a tree").
pub const LARGEST: usize = 8 << 20;
/// Pages of one list, at the most.
pub const MOST_PAGES: u32 = 30;
/// Entries of a page: the most that GitHub gives.
const PER_PAGE: usize = 100;
/// Redirects of one request, at the most.
const MOST_REDIRECTS: usize = 5;

/// How long the forge may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection to stand.
    pub connect: Duration,
    /// For one answer, whole.
    pub answer: Duration,
    /// Times that one request is made.
    pub tries: u32,
    /// The first pause before asking again; each further one is twice as long.
    pub pause: Duration,
    /// For failed tries and pauses, all requests of a client together.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), answer: seconds(20), tries: 4, pause: seconds(1), whole: seconds(60) }
    }
}

/// The forge, seen from one repository.
pub struct Client {
    octocrab: Octocrab,
    runtime: tokio::runtime::Runtime,
    /// The API's address, without a slash at its end.
    base: String,
    owner: String,
    name: String,
    patience: Patience,
    spent: Cell<Duration>,
    /// Why nothing is asked any more.
    over: RefCell<Option<Failed>>,
    asked: Cell<u32>,
}

/// A request.
struct Ask {
    method: Method,
    /// Below the API's address, with the query.
    path: String,
    /// JSON.
    body: Option<String>,
    /// What it is about, for messages: "the reviews of pull request 5".
    what: String,
    /// The permission it takes, as a workflow writes it: `pull-requests: read`.
    needs: &'static str,
}

impl Client {
    /// A client for `repository` (`owner/name`).
    ///
    /// # Errors
    /// One line, where address, token or repository are none, or where the system lacks something.
    pub fn new(api_url: &str, token: &str, repository: &str, patience: Patience) -> Result<Self, String> {
        let base = address(api_url).map_err(|why| format!("GITHUB_API_URL: {why}"))?;
        if token.is_empty() {
            return Err("GITHUB_TOKEN is not set: give the step `env: GITHUB_TOKEN: ${{ github.token }}`".to_owned());
        }
        // A header holds visible ASCII; octocrab would stop the program at anything else.
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("GITHUB_TOKEN is no token: it holds characters that no token has".to_owned());
        }
        let (owner, name) = repository
            .split_once('/')
            .filter(|(owner, name)| is_name(owner) && is_name(name))
            .ok_or_else(|| "GITHUB_REPOSITORY is not `owner/name`".to_owned())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| format!("no network: {error}"))?;
        let octocrab = {
            // octocrab starts its queue on the runtime that stands.
            let _stands = runtime.enter();
            octocrab(&base, token, patience)?
        };
        Ok(Self {
            octocrab,
            runtime,
            base,
            owner: owner.to_owned(),
            name: name.to_owned(),
            patience,
            spent: Cell::new(Duration::ZERO),
            over: RefCell::new(None),
            asked: Cell::new(0),
        })
    }

    /// Owner of the repository.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Requests made so far, further tries included.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.asked.get()
    }

    /// Asks until there is an answer or patience ends.
    fn call(&self, ask: &Ask) -> Result<Answer, Failed> {
        if let Some(over) = &*self.over.borrow() {
            return Err(Failed::new(Kind::NotAsked, format!("{}: not asked, because earlier: {over}", ask.what)));
        }
        let mut pause = self.patience.pause;
        let mut tries = 1;
        loop {
            let started = Instant::now();
            let outcome = self.runtime.block_on(async {
                let once = tokio::time::timeout(self.patience.answer, self.once(ask));
                once.await.unwrap_or_else(|_| Outcome::silent(ask, self.patience.answer))
            });
            let (failed, again) = match outcome {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Lasting(failed) => return Err(failed),
                Outcome::Passing(failed, again) => (failed, again),
            };
            let wait = again.unwrap_or(pause).max(self.patience.pause);
            let spent = self.spent.get().saturating_add(started.elapsed());
            let would = spent.saturating_add(wait);
            if tries >= self.patience.tries || would > self.patience.whole {
                self.spent.set(spent);
                let failed = failed.after(tries, again.filter(|_| would > self.patience.whole));
                // A forge that is not there, or that has enough of us, will not be there for the next question.
                if matches!(failed.kind, Kind::Unreachable | Kind::Limited) {
                    *self.over.borrow_mut() = Some(failed.clone());
                }
                return Err(failed);
            }
            self.spent.set(would);
            std::thread::sleep(wait);
            pause = pause.saturating_mul(2);
            tries += 1;
        }
    }

    /// One try, redirects included.
    async fn once(&self, ask: &Ask) -> Outcome {
        let Ok(mut url) = Url::parse(&format!("{}{}", self.base, ask.path)) else {
            return Outcome::Lasting(Failed::new(Kind::Invalid, format!("{}: no address can be made of it", ask.what)));
        };
        for _ in 0..=MOST_REDIRECTS {
            let mut request = http::Request::builder()
                .method(ask.method.clone())
                .uri(url.as_str())
                .header(ACCEPT, "application/vnd.github+json, application/json;q=0.9")
                .header(HeaderName::from_static("x-github-api-version"), "2022-11-28");
            if ask.body.is_some() {
                request = request.header(CONTENT_TYPE, "application/json");
            }
            let body = ask.body.clone().map_or_else(octocrab::OctoBody::empty, Into::into);
            let request = match request.body(body) {
                Ok(request) => request,
                Err(error) => {
                    return Outcome::Lasting(Failed::new(Kind::Invalid, format!("{}: {error}", ask.what)));
                }
            };
            self.asked.set(self.asked.get().saturating_add(1));
            let response = match self.octocrab.execute(request).await {
                Ok(response) => response,
                Err(error) => return answer::broken(ask, &error),
            };
            match answer::redirect(ask, &url, &response) {
                Ok(None) => return answer::read(ask, url, response).await,
                Ok(Some(target)) => url = target,
                Err(failed) => return Outcome::Lasting(failed),
            }
        }
        Outcome::Lasting(Failed::new(Kind::Elsewhere, format!("{}: too many redirects", ask.what)))
    }

    /// One answer, parsed.
    fn one<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Failed> {
        parse(ask, &self.call(ask)?)
    }

    /// A request whose answer is of no interest.
    fn done(&self, ask: &Ask) -> Result<(), Failed> {
        self.call(ask).map(|_| ())
    }

    /// All pages of a list. `ask.path` has its query, without `per_page` and `page`.
    fn pages<T, P: DeserializeOwned>(&self, mut ask: Ask, entries: fn(P) -> Vec<T>) -> Result<Vec<T>, Failed> {
        let mark = if ask.path.contains('?') { '&' } else { '?' };
        let first = format!("{}{mark}per_page={PER_PAGE}", ask.path);
        let mut all = Vec::new();
        let mut next = String::new();
        for page in 1..=MOST_PAGES {
            ask.path = format!("{first}{next}");
            let answer = self.call(&ask)?;
            let some = entries(parse(&ask, &answer)?);
            let is_full = some.len() >= PER_PAGE;
            all.extend(some);
            next = match answer.next(&ask, page)? {
                Some(Next::Page(page)) => format!("&page={page}"),
                Some(Next::After(cursor)) => format!("&after={}", escape(&cursor)),
                // A `Link` may be lost on the way; a cursor's list has no number to go on with.
                None if is_full && !next.starts_with("&after") => format!("&page={}", page + 1),
                None => return Ok(all),
            };
        }
        let most = MOST_PAGES as usize * PER_PAGE;
        Err(Failed::new(Kind::TooMany, format!("{}: too many, more than {most}: not read", ask.what)))
    }
}

fn parse<T: DeserializeOwned>(ask: &Ask, answer: &Answer) -> Result<T, Failed> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        // serde_json quotes what it found; that is of the server's making.
        let why = plain(&error.to_string(), 160);
        Failed::new(Kind::NotJson, format!("{}: the answer is not what GitHub documents: {why}", ask.what))
    })
}

/// The API's address as it is written in requests: octocrab gives the token only to an address with the same letters.
fn address(api_url: &str) -> Result<String, String> {
    crate::world::net::check_base(api_url)?;
    match Url::parse(api_url) {
        Ok(url) if url.query().is_none() && url.fragment().is_none() => {
            Ok(url.as_str().trim_end_matches('/').to_owned())
        }
        _ => Err("the address has a query".to_owned()),
    }
}

fn octocrab(base: &str, token: &str, patience: Patience) -> Result<Octocrab, String> {
    let failed = |error: &dyn std::fmt::Display| format!("no network: {error}");
    // Where a provider stands already, it is this one.
    let _stands = rustls::crypto::ring::default_provider().install_default();
    let http = Http::builder()
        .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(patience.connect)
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|error| failed(&error))?;
    let place: http::Uri = base.parse().map_err(|_| "GITHUB_API_URL: the address is none".to_owned())?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| "GITHUB_TOKEN is no token: it holds characters that no token has".to_owned())?;
    bearer.set_sensitive(true);
    // The layer gives the token to this host alone. octocrab's own builder would also give it to its default host for
    // uploads, and it would name itself as the user agent.
    let built = OctocrabBuilder::new_empty()
        .with_service(ReqwestConnector::new(http))
        .with_layer(&AuthHeaderLayer::new(Some(bearer), place.clone(), place))
        .with_auth(AuthState::None)
        .build();
    built.map_err(|error| failed(&error))
}

/// Whether this is a commit's full id, SHA-1 or SHA-256, in lower case.
#[must_use]
pub fn is_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, section 2.3.
fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
