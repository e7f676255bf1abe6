//! What an answer of the forge is: read whole within the cap, or one error with one line that helps.

use std::error::Error as _;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, LINK, LOCATION, RETRY_AFTER};
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use reqwest::Url;

use super::{Ask, LARGEST};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}")]
pub struct Failed {
    /// What kind of failure.
    pub kind: Kind,
    /// One line: what was asked for, what happened, what mends it. Neither the token nor an address is in it.
    pub line: String,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 401: the token is none.
    Token,
    /// 403: the token may not.
    Forbidden,
    /// 404, 410: it is not there, or the token may not know of it.
    Missing,
    /// 422 and other refusals of what was asked.
    Invalid,
    /// 429, or 403 with the signs of a rate limit, and patience ended.
    Limited,
    /// 5xx, again and again.
    Server,
    /// No connection, or no answer in time.
    Unreachable,
    /// Something other than the API answers.
    NotJson,
    /// The answer is over the cap.
    TooLarge,
    /// The list is over the cap.
    TooMany,
    /// The answer sends to another host.
    Elsewhere,
    /// Not asked, because the forge could not be reached or limited the rate before.
    NotAsked,
}

impl Failed {
    pub(super) fn new(kind: Kind, line: String) -> Self {
        Self { kind, line }
    }

    /// The same, with how often it was tried, and how long the forge wants to be left alone.
    pub(super) fn after(mut self, tries: u32, again: Option<Duration>) -> Self {
        if let Some(again) = again {
            self.line += &format!("; it asks to wait {} seconds, which is too long", again.as_secs());
        } else if tries > 1 {
            self.line += &format!(" ({tries} tries)");
        }
        self
    }
}

/// A whole answer of the API.
pub(super) struct Answer {
    /// JSON, or nothing where the status says so.
    pub body: Vec<u8>,
    /// Where it came from in the end.
    url: Url,
    link: Option<String>,
}

/// What one try gave.
pub(super) enum Outcome {
    Answer(Answer),
    /// Asking again will not mend it.
    Lasting(Failed),
    /// Asking again may, after this time where the forge says one.
    Passing(Failed, Option<Duration>),
}

impl Outcome {
    pub fn silent(ask: &Ask, time: Duration) -> Self {
        let line = format!("{}: the forge did not answer within {} seconds", ask.what, time.as_secs_f32());
        Self::Passing(Failed::new(Kind::Unreachable, line), None)
    }
}

/// How a list goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Page(u32),
    After(String),
}

impl Answer {
    /// What `Link` says of the page after `page`.
    pub fn next(&self, ask: &Ask, page: u32) -> Result<Option<Next>, Failed> {
        let Some(target) = self.link.as_deref().and_then(next_of) else { return Ok(None) };
        let elsewhere = || {
            let line = format!("{}: the list goes on at another address than it began: not read", ask.what);
            Failed::new(Kind::Elsewhere, line)
        };
        let target = self.url.join(target).map_err(|_| elsewhere())?;
        if place(&target) != place(&self.url) || !is_same_list(self.url.path(), target.path()) {
            return Err(elsewhere());
        }
        let value = |name: &str| target.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        match (value("after"), value("page").and_then(|text| text.parse::<u32>().ok())) {
            (Some(cursor), _) if !cursor.is_empty() => Ok(Some(Next::After(cursor))),
            (_, Some(next)) if next == page + 1 => Ok(Some(Next::Page(next))),
            _ => Err(elsewhere()),
        }
    }
}

/// The address with `rel="next"` of a `Link` header (RFC 8288, section 3).
fn next_of(link: &str) -> Option<&str> {
    let mut rest = link;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let (parameters, others) =
            after.split_once('<').map_or((after, ""), |(own, _)| (own, after.get(own.len()..).unwrap_or_default()));
        let is_next = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split_ascii_whitespace().any(|rel| rel == "next")
        };
        if parameters.split(';').any(is_next) {
            return Some(target);
        }
        rest = others;
    }
    None
}

/// Whether two paths are one list: equal, or equal but for `/repos/<owner>/<name>/` and `/repositories/<id>/`.
fn is_same_list(own: &str, other: &str) -> bool {
    fn after_repository(path: &str) -> Option<(&str, &str)> {
        if let Some((base, rest)) = path.split_once("/repos/") {
            let mut parts = rest.splitn(3, '/');
            let (_owner, _name, rest) = (parts.next()?, parts.next()?, parts.next()?);
            return Some((base, rest));
        }
        let (base, rest) = path.split_once("/repositories/")?;
        let (id, rest) = rest.split_once('/')?;
        id.bytes().all(|byte| byte.is_ascii_digit()).then_some((base, rest))
    }
    own == other
        || (other.contains("/repositories/")
            && after_repository(own).is_some_and(|own| after_repository(other) == Some(own)))
}

/// Scheme, host and port: what two addresses of one place share.
fn place(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}

/// The address that an answer sends to, where it sends anywhere.
pub(super) fn redirect<B>(ask: &Ask, from: &Url, response: &Response<B>) -> Result<Option<Url>, Failed> {
    let status = response.status();
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let failed = |why: &str| Err(Failed::new(Kind::Elsewhere, format!("{}: {why}", ask.what)));
    let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(target) = target.and_then(|target| from.join(target).ok()) else {
        return failed("the forge sends elsewhere and does not say where");
    };
    if place(&target) != place(from) || !target.username().is_empty() || target.password().is_some() {
        return failed("the forge sends to another host: not followed, the token is for one host alone");
    }
    // The other statuses turn a request that writes into one that reads.
    if ask.method != Method::GET && !matches!(status.as_u16(), 307 | 308) {
        return failed("the repository has moved: run again under its present name");
    }
    Ok(Some(target))
}

/// Reads an answer.
pub(super) async fn read<B>(ask: &Ask, url: Url, response: Response<B>) -> Outcome
where
    B: http_body::Body + Unpin,
    B::Data: AsRef<[u8]>,
{
    let (parts, body) = response.into_parts();
    let headers = parts.headers;
    let body = match whole(ask, &headers, body).await {
        Ok(body) => body,
        Err(outcome) => return outcome,
    };
    if !parts.status.is_success() {
        return refused(ask, parts.status, &headers, &body);
    }
    if !body.is_empty() && !is_json(&headers) {
        return not_the_api(ask);
    }
    let link = header(&headers, &LINK).map(str::to_owned);
    Outcome::Answer(Answer { body, url, link })
}

/// The body, within the cap.
async fn whole<B>(ask: &Ask, headers: &HeaderMap, mut body: B) -> Result<Vec<u8>, Outcome>
where
    B: http_body::Body + Unpin,
    B::Data: AsRef<[u8]>,
{
    let large = || {
        let line = format!("{}: the answer is larger than {} MiB: not read", ask.what, LARGEST >> 20);
        Outcome::Lasting(Failed::new(Kind::TooLarge, line))
    };
    let said = header(headers, &CONTENT_LENGTH).and_then(|text| text.parse::<usize>().ok());
    if said.is_some_and(|said| said > LARGEST) {
        return Err(large());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let line = format!("{}: the answer broke off", ask.what);
            return Err(Outcome::Passing(Failed::new(Kind::Unreachable, line), None));
        };
        let Ok(part) = frame.into_data() else { continue };
        if bytes.len() + part.as_ref().len() > LARGEST {
            return Err(large());
        }
        bytes.extend_from_slice(part.as_ref());
    }
    Ok(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    header(headers, &CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("json"))
}

fn not_the_api(ask: &Ask) -> Outcome {
    let line = format!(
        "{}: something other than the API answers (no JSON): is GITHUB_API_URL the API's address, and does a proxy or \
         a login page stand before it?",
        ask.what
    );
    Outcome::Lasting(Failed::new(Kind::NotJson, line))
}

/// An answer other than success.
fn refused(ask: &Ask, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Outcome {
    let what = &ask.what;
    let message = message(body);
    let said = message.as_deref().unwrap_or("no reason given");
    let lasting = |kind, line| Outcome::Lasting(Failed::new(kind, line));
    if let Some(wait) = limited(status, headers, said) {
        let line = format!("{what}: the forge limits the rate of requests ({})", status.as_u16());
        return Outcome::Passing(Failed::new(Kind::Limited, line), Some(wait));
    }
    match status.as_u16() {
        401 => lasting(
            Kind::Token,
            format!("{what}: the forge refuses the token (401): GITHUB_TOKEN has expired or is not for this server"),
        ),
        403 if header(headers, "x-github-sso").is_some() => lasting(
            Kind::Forbidden,
            format!("{what}: the organisation asks that the token is authorised for its single sign-on (403)"),
        ),
        403 => {
            let needs = accepted(headers).unwrap_or_else(|| ask.needs.to_owned());
            lasting(Kind::Forbidden, format!("{what}: the token lacks `{needs}` (403: {said})"))
        }
        404 | 410 => lasting(
            Kind::Missing,
            format!("{what}: not found ({}), or the token lacks `{}`", status.as_u16(), ask.needs),
        ),
        408 | 500.. => {
            let line = format!("{what}: the forge is in trouble ({})", status.as_u16());
            Outcome::Passing(Failed::new(Kind::Server, line), seconds(headers, "retry-after"))
        }
        other if !body.is_empty() && !is_json(headers) => {
            let Outcome::Lasting(failed) = not_the_api(ask) else { return not_the_api(ask) };
            lasting(failed.kind, format!("{} ({other})", failed.line))
        }
        other => lasting(Kind::Invalid, format!("{what}: the forge refuses it ({other}: {said})")),
    }
}

/// Whether a refusal is a rate limit, and what wait it asks for. GitHub, "Rate limits for the REST API": 403 or 429, with
/// `retry-after`, or with `x-ratelimit-remaining: 0` and the time in `x-ratelimit-reset`, or with neither (a secondary
/// limit, which the message names): then at least a minute.
fn limited(status: StatusCode, headers: &HeaderMap, said: &str) -> Option<Duration> {
    const MINUTE: Duration = Duration::from_secs(60);
    if !matches!(status.as_u16(), 403 | 429) {
        return None;
    }
    let after = seconds(headers, RETRY_AFTER.as_str());
    let is_used_up = header(headers, "x-ratelimit-remaining") == Some("0");
    if after.is_none() && is_used_up {
        // Both times are the server's own: no clock of this machine is asked.
        let reset = header(headers, "x-ratelimit-reset").and_then(|text| text.parse::<i64>().ok());
        let now = header(headers, &DATE).and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        let wait = reset.zip(now).map(|(reset, now)| reset.saturating_sub(now.timestamp().as_second()));
        return Some(wait.map_or(MINUTE, |wait| Duration::from_secs(u64::try_from(wait).unwrap_or(0))));
    }
    let is_named = said.to_ascii_lowercase().contains("rate limit");
    (status.as_u16() == 429 || after.is_some() || is_used_up || is_named).then_some(after.unwrap_or(MINUTE))
}

/// The permissions that GitHub itself names (`X-Accepted-GitHub-Permissions: pull_requests=read`), as a workflow writes
/// them.
fn accepted(headers: &HeaderMap) -> Option<String> {
    let text = header(headers, "x-accepted-github-permissions")?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'=' | b',' | b';' | b' ');
    if text.is_empty() || text.len() > 200 || !text.bytes().all(fits) {
        return None;
    }
    Some(text.replace('_', "-").replace('=', ": ").replace("; ", "` or `").replace(';', "` or `"))
}

/// The API's own reason.
fn message(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    Some(plain(&refusal.message, 160))
}

/// One line of plain text of at most `cap` characters: what a server says goes into messages.
#[must_use]
pub fn plain(text: &str, cap: usize) -> String {
    // Control characters, and those that turn or hide what stands around them (Unicode, Bidi_Control and others).
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let mut line: String = text.chars().take(cap).map(|c| if is_odd(c) { ' ' } else { c }).collect();
    if text.chars().nth(cap).is_some() {
        line.push('…');
    }
    line
}

/// No answer at all.
pub(super) fn broken(ask: &Ask, error: &octocrab::Error) -> Outcome {
    let mut text = "no connection to the forge".to_owned();
    let mut is_below = false;
    let mut cause = error.source();
    while let Some(inner) = cause {
        // The words of reqwest hold the address, and what stands above it repeats them: only what lies below is shown.
        if is_below {
            let inner_text = plain(&inner.to_string(), 120);
            if !text.contains(&inner_text) {
                text += &format!(": {inner_text}");
            }
        }
        is_below |= inner.is::<reqwest::Error>();
        cause = inner.source();
    }
    Outcome::Passing(Failed::new(Kind::Unreachable, format!("{}: {text}", ask.what)), None)
}

fn header(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    header(headers, name).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8288, section 3.5 (several links in one header), and GitHub, "Using pagination in the REST API".
    #[test]
    fn the_next_page_is_found_among_links() {
        let some = [
            (
                r#"<https://a.example/x?page=2>; rel="next", <https://a.example/x?page=5>; rel="last""#,
                Some("https://a.example/x?page=2"),
            ),
            (
                r#"<https://a.example/x?page=1>; rel="prev", <https://a.example/x?a=1,2&page=3>; rel="next""#,
                Some("https://a.example/x?a=1,2&page=3"),
            ),
            (r#"<https://a.example/x>; rel="last""#, None),
            (r#"<https://a.example/x>; title="next"; rel=last"#, None),
            ("<https://a.example/x>; rel=next", Some("https://a.example/x")),
            ("<https://a.example/x", None),
            ("", None),
        ];
        for (link, expected) in some {
            assert_eq!(next_of(link), expected, "{link}");
        }
    }

    #[test]
    fn a_list_goes_on_at_its_own_path_or_by_the_repository_s_number() {
        for (own, other, is) in [
            ("/repos/o/r/pulls/1/reviews", "/repos/o/r/pulls/1/reviews", true),
            ("/repos/o/r/pulls/1/reviews", "/repositories/1300192/pulls/1/reviews", true),
            ("/api/v3/repos/o/r/pulls", "/api/v3/repositories/7/pulls", true),
            ("/api/v3/repos/o/r/pulls", "/repositories/7/pulls", false),
            ("/repos/o/r/pulls/1/reviews", "/repos/o/r/pulls/2/reviews", false),
            ("/repos/o/r/pulls/1/reviews", "/repos/o/other/pulls/1/reviews", false),
            ("/repos/o/r/pulls/1/reviews", "/repositories/x/pulls/1/reviews", false),
            ("/repos/o/r/pulls/1/reviews", "/repositories/7/pulls/2/reviews", false),
        ] {
            assert_eq!(is_same_list(own, other), is, "{own} {other}");
        }
    }

    #[test]
    fn a_server_s_words_are_one_plain_line() {
        assert_eq!(plain("a\nb\u{202e}c\u{1b}[31m", 100), "a b c [31m");
        assert_eq!(plain("äöü", 2), "äö…");
    }
}
