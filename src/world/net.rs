//! The real network. One thread, one request at a time: tokio lives here alone.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::{Answer, Failed, Get, Http, Sink, State};

/// How long the network may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection to stand.
    pub connect: Duration,
    /// Between two parts of an answer.
    pub silence: Duration,
    /// For an answer as a whole.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), silence: seconds(30), whole: seconds(15 * 60) }
    }
}

/// The network as the process sees it: its proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`), its roots of
/// trust from the system.
pub struct Net {
    runtime: tokio::runtime::Runtime,
    client: Client,
    patience: Patience,
}

/// Redirects that are followed, at the most, all within one host.
const MOST_REDIRECTS: usize = 5;

impl Net {
    /// A client.
    ///
    /// # Errors
    /// One line that says what the system lacks.
    pub fn new(patience: Patience) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("no network: {error}");
        // Where a provider stands already, it is this one.
        let _stands = rustls::crypto::ring::default_provider().install_default();
        let policy = Policy::custom(|attempt| {
            let previous = attempt.previous();
            let is_other = previous.last().is_some_and(|from| place(from) != place(attempt.url()));
            if is_other {
                attempt.error("a redirect to another host")
            } else if previous.len() > MOST_REDIRECTS {
                attempt.error("too many redirects")
            } else {
                attempt.follow()
            }
        });
        let client = Client::builder()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(patience.connect)
            .redirect(policy)
            .build()
            .map_err(|error| failed(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { runtime, client, patience })
    }

    async fn fetch(&self, get: &Get<'_>, sink: &mut dyn Sink) -> Result<Answer, Failed> {
        let url = Url::parse(get.url).map_err(Failed::lasting)?;
        let mut request = self.client.get(url);
        if let Some(etag) = get.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(modified) = get.modified {
            request = request.header(IF_MODIFIED_SINCE, modified);
        }
        if let Some((from, etag)) = get.resume {
            request = request.header(RANGE, format!("bytes={from}-")).header(IF_RANGE, etag);
        }
        let sent = tokio::time::timeout(self.patience.silence, request.send()).await;
        let mut response = sent.map_err(|_| self.silent())?.map_err(|error| of_reqwest(&error))?;
        let answer = answer(response.status(), response.headers(), get)?;
        if answer.state == State::Unchanged {
            return Ok(answer);
        }
        if answer.length.is_some_and(|length| length > get.cap) {
            return Err(Failed::lasting(format_args!("the answer has more than {} bytes", get.cap)));
        }
        sink.begin(&answer).map_err(Failed::lasting)?;
        let mut taken = 0;
        loop {
            let part = tokio::time::timeout(self.patience.silence, response.chunk()).await;
            let part = part.map_err(|_| self.silent())?.map_err(|error| of_reqwest(&error))?;
            let Some(part) = part else { break };
            taken += part.len() as u64;
            if taken > get.cap {
                return Err(Failed::lasting(format_args!("the answer has more than {} bytes", get.cap)));
            }
            sink.take(&part).map_err(Failed::lasting)?;
        }
        if answer.length.is_some_and(|length| length != taken) {
            return Err(Failed::passing("the answer ended early"));
        }
        Ok(answer)
    }

    fn silent(&self) -> Failed {
        Failed::passing(format_args!("no answer for {} seconds", self.patience.silence.as_secs_f32()))
    }
}

impl Http for Net {
    fn get(&self, get: &Get<'_>, sink: &mut dyn Sink) -> Result<Answer, Failed> {
        self.runtime.block_on(async {
            let whole = tokio::time::timeout(self.patience.whole, self.fetch(get, sink)).await;
            let late =
                |_| Failed::lasting(format_args!("not done after {} seconds", self.patience.whole.as_secs_f32()));
            whole.map_err(late)?
        })
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Scheme, host and port: what two addresses of one place share.
fn place(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}

fn answer(status: StatusCode, headers: &HeaderMap, get: &Get<'_>) -> Result<Answer, Failed> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let again = text(RETRY_AFTER).and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let state = match status {
        StatusCode::OK => State::Whole,
        StatusCode::NOT_MODIFIED => State::Unchanged,
        StatusCode::PARTIAL_CONTENT => {
            let from = get.resume.map(|(from, _)| from);
            let wanted = from.map(|from| format!("bytes {from}-"));
            let holds = |range: String| wanted.is_some_and(|wanted| range.starts_with(&wanted));
            if !text(CONTENT_RANGE).is_some_and(holds) {
                return Err(Failed::lasting("the server sent a part that nobody asked for"));
            }
            State::Rest
        }
        // Asked for more than there is: what stands here is not what stands there.
        StatusCode::RANGE_NOT_SATISFIABLE => State::Other,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            return Err(Failed { what: format!("the server answered {status}"), passes: true, again });
        }
        status if status.is_server_error() => {
            return Err(Failed { what: format!("the server answered {status}"), passes: true, again });
        }
        status => return Err(Failed::lasting(format_args!("the server answered {status}"))),
    };
    Ok(Answer {
        state,
        etag: text(ETAG),
        modified: text(LAST_MODIFIED),
        length: text(CONTENT_LENGTH).and_then(|text| text.parse().ok()),
        kind: text(CONTENT_TYPE),
    })
}

/// The error with its causes, in one line. An address that has the password of a proxy in it is left out.
fn of_reqwest(error: &reqwest::Error) -> Failed {
    let mut text = if error.is_connect() {
        "no connection".to_owned()
    } else if error.is_redirect() {
        "the server sends elsewhere".to_owned()
    } else {
        "the answer broke off".to_owned()
    };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text += &format!(": {inner_text}");
        }
        cause = inner.source();
    }
    Failed { what: text, passes: !error.is_redirect() && !error.is_builder(), again: None }
}

/// Refuses a base address that is no address, that anybody on the way could answer for, or that holds a password, which
/// would be shown and kept.
///
/// # Errors
/// One line.
pub fn check_base(base: &str) -> Result<(), String> {
    let refused = |why: &str| Err(format!("the address {why}"));
    let Ok(url) = Url::parse(base) else { return refused("is none: write https://…") };
    if !url.username().is_empty() || url.password().is_some() {
        return refused("holds a name or password: use a proxy or the machine's own configuration for that");
    }
    match (url.scheme(), url.host_str()) {
        (_, None | Some("")) => refused("names no host"),
        ("https", _) => Ok(()),
        ("http", Some("localhost" | "127.0.0.1" | "[::1]")) => Ok(()),
        ("http", _) => refused("is without https: anybody on the way could answer"),
        _ => refused("is none: write https://…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_anybody_could_answer_for_are_refused() {
        for good in ["https://mirror.example/osv", "http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:1/"] {
            assert_eq!(check_base(good), Ok(()), "{good}");
        }
        for bad in [
            "http://mirror.example",
            "http://127.0.0.1@mirror.example/",
            "http://mirror.example:80\\@localhost",
            "https://u:secret@mirror.example",
            "ftp://x",
            "mirror",
            "https://",
            "",
        ] {
            let error = check_base(bad).unwrap_err();
            assert!(!error.contains("secret"), "{bad}: {error}");
        }
    }
}
