//! HTML and XML: comments, and all the rest is code. Attribute values are not told apart, because a `<` in a script or in
//! broken markup would turn what follows into a string.
//!
//! What looks like a comment but is not one, or holds code that a template engine runs, stays code:
//! - in HTML, everything from `<script` to `</script` and from `<style` to `</style` (the HTML standard, 13.2.5: the
//!   comment marks of these elements hide nothing from the browser);
//! - in HTML, `<!-->` and `<!--->` are comments that end at once, and `--!>` ends one too (the same, 13.2.5.43 ff.);
//! - from `<%`, `<?`, `{{`, `{%`, `${` or `#{` to the end of the comment: template engines look into comments.
//!
//! A `CDATA` section is text of XML: comment marks within it do not count.

use super::{Regions, find};
use crate::model::line::Region;

/// What template engines look for.
const TEMPLATES: &[&[u8]] = &[b"<%", b"<?", b"{{", b"{%", b"${", b"#{", b"@{", b"@("];

/// Elements of HTML whose content is no markup.
const RAW: &[&[u8]] = &[b"script", b"style"];

pub(super) fn regions(text: &[u8], is_html: bool) -> Regions {
    let mut regions = Regions::default();
    let mut at = 0;
    while let Some(open) = find(text, at, b"<") {
        let rest = text.get(open..).unwrap_or_default();
        if rest.starts_with(b"<!--") {
            let end = comment_end(text, open + 4, is_html);
            let body = text.get(open..end).unwrap_or_default();
            // Five bytes in, so that `<!--` itself is none of them.
            let code = TEMPLATES.iter().filter_map(|mark| find(body, 4, mark)).min();
            regions.push(open, code.map_or(end, |code| open + code), Region::Comment);
            at = end;
        } else if !is_html && rest.starts_with(b"<![CDATA[") {
            at = find(text, open, b"]]>").map_or(text.len(), |end| end + 3);
        } else {
            let element = is_html.then(|| RAW.iter().find(|name| is_tag(rest, name))).flatten();
            at = element.map_or(open + 1, |name| raw_end(text, open + 1, name));
        }
    }
    regions
}

/// Behind the comment whose text begins at `from`.
fn comment_end(text: &[u8], from: usize, is_html: bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    if is_html && rest.starts_with(b">") {
        return from + 1;
    }
    if is_html && rest.starts_with(b"->") {
        return from + 2;
    }
    let mut at = from;
    while let Some(dashes) = find(text, at, b"--") {
        let behind = text.get(dashes + 2..).unwrap_or_default();
        if behind.starts_with(b">") {
            return dashes + 3;
        }
        if is_html && behind.starts_with(b"!>") {
            return dashes + 4;
        }
        at = dashes + 1;
    }
    text.len()
}

/// Whether a text that begins with `<` opens an element.
fn is_tag(rest: &[u8], name: &[u8]) -> bool {
    let has_name = rest.get(1..=name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name));
    let behind = rest.get(name.len() + 1);
    has_name && behind.is_none_or(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))
}

/// Where the element that begins at `from` is closed.
fn raw_end(text: &[u8], from: usize, name: &[u8]) -> usize {
    let mut at = from;
    while let Some(close) = find(text, at, b"</") {
        let tag = text.get(close + 2..close + 2 + name.len());
        if tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name)) {
            return close + 2;
        }
        at = close + 2;
    }
    text.len()
}
