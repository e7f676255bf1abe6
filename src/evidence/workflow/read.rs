//! Nodes → a typed workflow or action file.
//!
//! Keys are GitHub's workflow syntax (docs.github.com, "Workflow syntax for GitHub Actions" and "Metadata syntax for
//! GitHub Actions"). What the syntax wants as a mapping, a list or a scalar and is none is an error, for GitHub refuses
//! it and another runner may not; so nothing is skipped in silence. Where the syntax allows a whole mapping to be an
//! expression (`env: ${{ … }}`), the expression stands as a pair without a key. Anchors are resolved by the YAML reader,
//! merge keys here: what is written beats what is merged, the first merged beats the next.

use crate::ecosystem::syntax::malformed;
use crate::ecosystem::syntax::yaml::{self, Node, Value};
use crate::model::tree::Unread;

/// Bytes of one file. GitHub's own limit is lower.
const MAX_FILE: u64 = 4 << 20;

/// Jobs and steps of one file, aliases resolved.
const MAX_STEPS: usize = 5_000;

/// Members of one mapping of data (`env`, `with`, …): each step looks through those around it.
const MAX_PAIRS: usize = 500;

/// Bytes of all scalars of one file, aliases resolved: each is looked through several times.
const MAX_TEXT: usize = 16 << 20;

/// A scalar and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text<'n> {
    /// The text.
    pub text: &'n str,
    /// The line that it starts on.
    pub line: u32,
}

/// A member of a mapping of data. A value that is no scalar is one pair for each scalar in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair<'n> {
    /// The key; empty where an expression makes the whole mapping.
    pub key: &'n str,
    /// The value.
    pub value: Text<'n>,
}

/// What a token may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Permissions<'n> {
    /// Nothing is said.
    #[default]
    Absent,
    /// `read-all`, `write-all`.
    All(Text<'n>),
    /// Scope and level, the key being the scope. Scopes that are not named have none.
    Scopes(Vec<Pair<'n>>),
}

/// One event with its filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trigger<'n> {
    pub event: &'n str,
    /// `branches`, `paths-ignore`, `types`, … with what they list.
    pub filters: Vec<(&'n str, Vec<&'n str>)>,
    pub line: u32,
}

/// An input that a workflow or action takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Input<'n> {
    pub name: &'n str,
    /// Whether it may hold any text: `boolean`, `number`, `choice` and `environment` may not.
    pub is_text: bool,
}

/// `secrets:` of a job that calls a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Secrets<'n> {
    #[default]
    None,
    Inherit(u32),
    Given(Vec<Pair<'n>>),
}

/// A job; of an action, the one that stands for its `runs`.
#[derive(Debug, Clone, Default)]
pub(super) struct Job<'n> {
    pub id: &'n str,
    pub name: Option<Text<'n>>,
    pub condition: Option<Text<'n>>,
    pub needs: Vec<&'n str>,
    pub permissions: Permissions<'n>,
    pub env: Vec<Pair<'n>>,
    pub runs_on: Vec<Text<'n>>,
    /// Scalars of `container` and `services`, their keys being where they stand.
    pub container: Vec<Pair<'n>>,
    pub matrix: Option<&'n Node<'n>>,
    pub shell: Vec<Pair<'n>>,
    pub concurrency: Vec<Pair<'n>>,
    pub environment: Vec<Pair<'n>>,
    pub continue_on_error: Option<Text<'n>>,
    pub outputs: Vec<Pair<'n>>,
    pub uses: Option<Text<'n>>,
    pub with: Vec<Pair<'n>>,
    pub secrets: Secrets<'n>,
    pub steps: Vec<Step<'n>>,
    pub line: u32,
}

/// A step.
#[derive(Debug, Clone, Default)]
pub(super) struct Step<'n> {
    /// From 1.
    pub number: usize,
    pub id: Option<&'n str>,
    pub name: Option<&'n str>,
    pub condition: Option<Text<'n>>,
    pub uses: Option<Text<'n>>,
    pub with: Vec<Pair<'n>>,
    pub env: Vec<Pair<'n>>,
    pub run: Option<Text<'n>>,
    pub shell: Option<Text<'n>>,
    pub folder: Option<Text<'n>>,
    pub continue_on_error: Option<Text<'n>>,
    pub line: u32,
}

impl Step<'_> {
    /// Its name, or the action that it uses without its version, or the first line that it runs, or its number. A
    /// version or a step that comes or goes beside it changes none of them but the last.
    pub fn label(&self) -> String {
        let uses = self.uses.map(|uses| uses.text.split_once('@').map_or(uses.text, |(name, _)| name));
        // A long line is cut before it is looked through.
        let start: String =
            self.run.map(|run| run.text.trim_start().chars().take(MAX_SHOWN + 1).collect()).unwrap_or_default();
        let run = start.lines().next().filter(|line| !line.is_empty());
        self.name.or(uses).or(run).map_or_else(|| format!("step {}", self.number), shown)
    }
}

/// A workflow, or an action.
#[derive(Debug, Clone, Default)]
pub(super) struct Document<'n> {
    /// Whether it is an action's metadata (`runs:`).
    pub is_action: bool,
    pub triggers: Vec<Trigger<'n>>,
    pub inputs: Vec<Input<'n>>,
    pub permissions: Permissions<'n>,
    pub env: Vec<Pair<'n>>,
    pub shell: Vec<Pair<'n>>,
    pub concurrency: Vec<Pair<'n>>,
    /// Outputs of a reusable workflow or an action.
    pub outputs: Vec<Pair<'n>>,
    pub jobs: Vec<Job<'n>>,
}

/// Characters of input's text in a message.
const MAX_SHOWN: usize = 120;

/// Input's text for a message: one line, escaped, cut.
pub(super) fn shown(text: &str) -> String {
    let mut chars = text.trim().chars();
    let mut out: String = chars.by_ref().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    out = out.replace("\\'", "'").replace("\\\"", "\"");
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// The YAML of a workflow or action file.
pub(super) fn nodes(bytes: &[u8]) -> Result<Node<'_>, Unread> {
    yaml::read(bytes, MAX_FILE)
}

/// Members of a mapping, merges resolved.
pub(super) fn members<'n>(node: &'n Node<'_>) -> Vec<(&'n str, u32, &'n Node<'n>)> {
    let mut found: Vec<(&str, u32, &Node<'_>)> = Vec::new();
    let mut merged: Vec<&Node<'_>> = Vec::new();
    take(node, &mut found, &mut merged);
    if merged.is_empty() {
        return found;
    }
    let mut seen: std::collections::HashSet<&str> = found.iter().map(|(key, ..)| *key).collect();
    // What is merged is part of the tree: the walk ends, and is as long as the tree is large.
    while let Some(node) = merged.pop() {
        let mut here = Vec::new();
        take(node, &mut here, &mut merged);
        found.extend(here.into_iter().filter(|(key, ..)| seen.insert(key)));
    }
    found
}

/// Puts a mapping's own members into `found` and what it merges on the pile, the first on top.
fn take<'n>(node: &'n Node<'_>, found: &mut Vec<(&'n str, u32, &'n Node<'n>)>, merged: &mut Vec<&'n Node<'n>>) {
    for member in node.members() {
        if member.key != "<<" {
            found.push((&member.key, member.line, &member.node));
        } else if member.node.is_table() {
            merged.push(&member.node);
        } else {
            merged.extend(member.node.items().iter().rev());
        }
    }
}

/// Reads a file. `is_action` says which of the two it should be: the path tells.
///
/// # Errors
/// What the YAML reader refuses, a value of another shape than the syntax wants, over a cap.
pub(super) fn document<'n>(root: &'n Node<'_>, is_action: bool) -> Result<Document<'n>, Unread> {
    if !root.is_table() {
        return Err(malformed(root.line, "no mapping"));
    }
    let mut reader = Reader::default();
    reader.measure(root)?;
    let mut document = Document { is_action, ..Document::default() };
    for (key, line, node) in members(root) {
        match key {
            "on" if !is_action => document.triggers = triggers(node, &mut document.inputs)?,
            "permissions" => document.permissions = permissions(node)?,
            "env" => document.env = pairs(node, "env")?,
            "defaults" => document.shell = pairs(node, "defaults")?,
            "concurrency" => document.concurrency = loose(node),
            "jobs" if !is_action => {
                for (id, line, node) in table(node, line, "jobs")? {
                    document.jobs.push(reader.job(id, line, node)?);
                }
            }
            "inputs" if is_action => document.inputs = inputs(node),
            "outputs" if is_action => document.outputs = loose(node),
            "runs" if is_action => {
                table(node, line, "runs")?;
                document.jobs.push(reader.job("", line, node)?);
            }
            key if key.contains("${{") => return Err(malformed(line, "a key that is an expression")),
            _ => {}
        }
    }
    if document.jobs.is_empty() {
        return Err(malformed(root.line, if is_action { "an action without `runs`" } else { "no jobs" }));
    }
    if !is_action && document.triggers.is_empty() {
        return Err(malformed(root.line, "no `on`"));
    }
    Ok(document)
}

#[derive(Default)]
struct Reader {
    steps: usize,
}

impl Reader {
    /// Refuses a file whose scalars, aliases resolved, are more text than is looked through.
    fn measure(&self, root: &Node<'_>) -> Result<(), Unread> {
        let mut sum = 0usize;
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            if let Value::Scalar(text, _) = &node.value {
                sum = sum.saturating_add(text.len());
            }
            open.extend(node.items());
            open.extend(node.members().iter().map(|member| &member.node));
        }
        if sum > MAX_TEXT {
            let what = "the text of the file, aliases resolved, in bytes,".to_owned();
            return Err(Unread::TooLarge { what, size: sum as u64, cap: MAX_TEXT as u64 });
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Unread> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            let what = "the file, in jobs and steps,".to_owned();
            return Err(Unread::TooLarge { what, size: self.steps as u64, cap: MAX_STEPS as u64 });
        }
        Ok(())
    }

    fn job<'n>(&mut self, id: &'n str, line: u32, node: &'n Node<'_>) -> Result<Job<'n>, Unread> {
        self.count()?;
        let mut job = Job { id, line, ..Job::default() };
        for (key, line, node) in table(node, line, "a job")? {
            match key {
                "name" => job.name = scalar(node, "name")?,
                "if" => job.condition = scalar(node, "if")?,
                "needs" => job.needs = listed(node).iter().map(|text| text.text).collect(),
                "permissions" => job.permissions = permissions(node)?,
                "env" => job.env = pairs(node, "env")?,
                "runs-on" => job.runs_on = listed(node),
                "container" | "services" | "image" => job.container.extend(under(key, node)),
                "strategy" => job.matrix = Some(node),
                "defaults" => job.shell = pairs(node, "defaults")?,
                "concurrency" => job.concurrency = loose(node),
                "environment" => job.environment = loose(node),
                "continue-on-error" => job.continue_on_error = scalar(node, key)?,
                "outputs" => job.outputs = pairs(node, "outputs")?,
                "uses" => job.uses = scalar(node, "uses")?,
                "with" => job.with = pairs(node, "with")?,
                "secrets" if node.text() == Some("inherit") => job.secrets = Secrets::Inherit(node.line),
                "secrets" => job.secrets = Secrets::Given(pairs(node, "secrets")?),
                "steps" => job.steps = self.steps(node)?,
                key if key.contains("${{") => return Err(malformed(line, "a key that is an expression")),
                _ => {}
            }
        }
        Ok(job)
    }

    fn steps<'n>(&mut self, node: &'n Node<'_>) -> Result<Vec<Step<'n>>, Unread> {
        let Value::List(items) = &node.value else {
            return Err(malformed(node.line, "`steps` that are no list"));
        };
        let mut steps = Vec::new();
        for (at, node) in items.iter().enumerate() {
            self.count()?;
            steps.push(step(at + 1, node)?);
        }
        Ok(steps)
    }
}

fn step<'n>(number: usize, node: &'n Node<'_>) -> Result<Step<'n>, Unread> {
    let mut step = Step { number, line: node.line, ..Step::default() };
    for (key, line, node) in table(node, node.line, "a step")? {
        match key {
            "id" => step.id = scalar(node, "id")?.map(|text| text.text),
            "name" => step.name = scalar(node, "name")?.map(|text| text.text),
            "if" => step.condition = scalar(node, "if")?,
            "uses" => step.uses = scalar(node, "uses")?,
            "with" => step.with = pairs(node, "with")?,
            "env" => step.env = pairs(node, "env")?,
            "run" => step.run = scalar(node, "run")?,
            "shell" => step.shell = scalar(node, "shell")?,
            "working-directory" => step.folder = scalar(node, key)?,
            "continue-on-error" => step.continue_on_error = scalar(node, key)?,
            key if key.contains("${{") => return Err(malformed(line, "a key that is an expression")),
            _ => {}
        }
    }
    Ok(step)
}

fn triggers<'n>(node: &'n Node<'_>, inputs_of: &mut Vec<Input<'n>>) -> Result<Vec<Trigger<'n>>, Unread> {
    let bare = |text: Text<'n>| Trigger { event: text.text, filters: Vec::new(), line: text.line };
    let mut found = Vec::new();
    match &node.value {
        Value::Scalar(..) => found.extend(scalar(node, "on")?.map(bare)),
        Value::List(items) => {
            for item in items {
                let text = scalar(item, "on")?.ok_or_else(|| malformed(item.line, "an event without a name"))?;
                found.push(bare(text));
            }
        }
        Value::Table(_) => {
            for (event, line, node) in members(node) {
                let mut filters = Vec::new();
                // `schedule` is a list of mappings.
                let listed_below = node.items().iter().flat_map(members);
                for (key, _, node) in members(node).into_iter().chain(listed_below) {
                    match key {
                        "inputs" => inputs_of.extend(inputs(node)),
                        "secrets" | "outputs" => {}
                        _ => filters.push((key, listed(node).iter().map(|text| text.text).collect())),
                    }
                }
                found.push(Trigger { event, filters, line });
            }
        }
    }
    // An event is a word of GitHub's: an expression here would hide which.
    match found.iter().find(|trigger| trigger.event.contains("${{")) {
        Some(odd) => Err(malformed(odd.line, "an event that is an expression")),
        None => Ok(found),
    }
}

fn inputs<'n>(node: &'n Node<'_>) -> Vec<Input<'n>> {
    let is_text =
        |node: &Node<'_>| !matches!(node.text_of("type"), Some("boolean" | "number" | "choice" | "environment"));
    members(node).into_iter().map(|(name, _, node)| Input { name, is_text: is_text(node) }).collect()
}

fn permissions<'n>(node: &'n Node<'_>) -> Result<Permissions<'n>, Unread> {
    match &node.value {
        Value::Table(_) => Ok(Permissions::Scopes(pairs(node, "permissions")?)),
        Value::Scalar(..) => Ok(scalar(node, "permissions")?.map_or(Permissions::Absent, Permissions::All)),
        Value::List(_) => Err(malformed(node.line, "`permissions` that are a list")),
    }
}

fn table<'n>(node: &'n Node<'_>, line: u32, what: &str) -> Result<Vec<(&'n str, u32, &'n Node<'n>)>, Unread> {
    match node.is_table() {
        true => Ok(members(node)),
        false => Err(malformed(line, format!("`{what}` that is no mapping"))),
    }
}

fn scalar<'n>(node: &'n Node<'_>, what: &str) -> Result<Option<Text<'n>>, Unread> {
    match &node.value {
        Value::Scalar(..) => Ok(node.text().map(|text| Text { text, line: node.line })),
        _ => Err(malformed(node.line, format!("`{what}` that is no scalar"))),
    }
}

/// A mapping of data, or an expression that makes one.
fn pairs<'n>(node: &'n Node<'_>, what: &str) -> Result<Vec<Pair<'n>>, Unread> {
    match &node.value {
        Value::List(_) => Err(malformed(node.line, format!("`{what}` that is a list"))),
        _ => {
            let found = loose(node);
            if found.len() > MAX_PAIRS {
                let what = format!("`{what}` of line {}, in members,", node.line);
                return Err(Unread::TooLarge { what, size: found.len() as u64, cap: MAX_PAIRS as u64 });
            }
            Ok(found)
        }
    }
}

/// Every scalar in a value, with the key of the outermost mapping that it stands under.
fn loose<'n>(node: &'n Node<'_>) -> Vec<Pair<'n>> {
    match &node.value {
        Value::Table(_) => members(node).into_iter().flat_map(|(key, _, node)| under(key, node)).collect(),
        _ => under("", node),
    }
}

fn under<'n>(key: &'n str, node: &'n Node<'_>) -> Vec<Pair<'n>> {
    listed(node).into_iter().map(|value| Pair { key, value }).collect()
}

/// Every scalar in a value, nulls as empty text.
fn listed<'n>(node: &'n Node<'_>) -> Vec<Text<'n>> {
    let mut found = Vec::new();
    let mut open: Vec<&Node<'_>> = vec![node];
    while let Some(node) = open.pop() {
        match &node.value {
            Value::Scalar(..) => found.push(Text { text: node.text().unwrap_or_default(), line: node.line }),
            Value::List(items) => open.extend(items.iter().rev()),
            Value::Table(_) => open.extend(members(node).into_iter().rev().map(|(_, _, node)| node)),
        }
    }
    found
}
