//! Every `uses` and every image of a workflow or action file.
//!
//! What a run takes stands at few places: `jobs.<id>.uses`, `jobs.<id>.steps[*].uses`, `jobs.<id>.container`,
//! `jobs.<id>.services.<id>.image`, `runs.steps[*].uses` and `runs.image`. Below keys that are not known, every `uses`
//! counts; below keys that hold data (`with`, `env`, `strategy`, …) none does. Merge keys count as what they merge.

use super::reference::{self, Reference};
use crate::ecosystem::syntax::yaml::{Node, Value};

/// Keys of jobs and steps whose values are data.
const DATA: [&str; 14] = [
    "with",
    "env",
    "strategy",
    "outputs",
    "secrets",
    "permissions",
    "concurrency",
    "environment",
    "defaults",
    "inputs",
    "run",
    "name",
    "if",
    "needs",
];

/// Values that a matrix puts into images, in one file.
const MAX_VALUES: usize = 10_000;

/// Mappings that are merged into each other.
const MAX_MERGED: usize = 16;

/// What something is that a run takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// `uses` of a step.
    Step,
    /// `uses` of a job.
    Workflow,
    /// An image of a container or service.
    Image,
    /// `runs.image`: an image or a Dockerfile.
    ActionImage,
}

/// Something that a run takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item<'n> {
    pub what: What,
    /// `None` where it is no text.
    pub text: Option<std::borrow::Cow<'n, str>>,
    pub line: u32,
    /// The job among [`Found::jobs`].
    pub job: usize,
    /// How many of the job's checkouts stand before it.
    pub before: usize,
}

/// A repository that a step of a job puts into a folder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Checkout<'n> {
    /// As written; empty where none is.
    pub folder: &'n str,
    /// The repository, where it is not this one.
    pub repository: Option<&'n str>,
    /// The ref, where one is written.
    pub at: Option<&'n str>,
    /// Whether the step always runs, and is GitHub's own checkout.
    pub is_certain: bool,
    pub line: u32,
}

/// Checkouts of one job that are looked at. Each local action looks through all.
const MAX_CHECKOUTS: usize = 64;

/// One job, or the steps of an action.
#[derive(Debug, Default)]
pub(super) struct Job<'n> {
    /// The repositories that its steps put into folders, in their order.
    pub checkouts: Vec<Checkout<'n>>,
    /// The line of the first checkout that is one too many.
    pub excess: Option<u32>,
    /// Whether it is an action: it runs in the folders of whatever job takes it.
    pub is_action: bool,
}

/// What a file takes.
#[derive(Debug, Default)]
pub(super) struct Found<'n> {
    pub items: Vec<Item<'n>>,
    pub jobs: Vec<Job<'n>>,
    substituted: usize,
}

/// Everything that a workflow or action file takes.
pub(super) fn collect<'n>(document: &'n Node<'_>) -> Found<'n> {
    let mut found = Found::default();
    for (key, node) in members(document) {
        match key {
            "jobs" => members(node).into_iter().for_each(|(_, job)| found.job(job)),
            "runs" => {
                found.jobs.push(Job { is_action: true, ..Job::default() });
                for (key, node) in members(node) {
                    match key {
                        "image" => found.push(What::ActionImage, node),
                        _ => found.job_member(key, node, node),
                    }
                }
            }
            _ => {}
        }
    }
    found
}

impl<'n> Found<'n> {
    fn push(&mut self, what: What, node: &'n Node<'_>) {
        self.add(what, node.text().map(std::borrow::Cow::Borrowed), node.line);
    }

    fn add(&mut self, what: What, text: Option<std::borrow::Cow<'n, str>>, line: u32) {
        let before = self.jobs.last().map_or(0, |job| job.checkouts.len());
        self.items.push(Item { what, text, line, job: self.jobs.len().saturating_sub(1), before });
    }

    fn job(&mut self, job: &'n Node<'_>) {
        self.jobs.push(Job::default());
        for (key, node) in members(job) {
            self.job_member(key, node, job);
        }
    }

    fn job_member(&mut self, key: &str, node: &'n Node<'_>, job: &'n Node<'_>) {
        match key {
            "uses" => self.push(What::Workflow, node),
            "container" => self.container(node, job),
            // An expression may make any services.
            "services" if !node.is_table() => self.image(node, job),
            "services" => members(node).into_iter().for_each(|(_, service)| self.container(service, job)),
            _ if DATA.contains(&key) => {}
            _ => self.steps(node),
        }
    }

    fn container(&mut self, node: &'n Node<'_>, job: &'n Node<'_>) {
        if !node.is_table() {
            return self.image(node, job);
        }
        for (_, image) in members(node).into_iter().filter(|(key, _)| *key == "image") {
            self.image(image, job);
        }
    }

    /// An image, once for each value that a matrix gives it. An empty one means no container.
    fn image(&mut self, node: &'n Node<'_>, job: &'n Node<'_>) {
        let Some(text) = node.text().filter(|text| !text.is_empty()) else {
            if !matches!(node.value, Value::Scalar(..)) {
                self.push(What::Image, node);
            }
            return;
        };
        let values = matrix_of(text, job);
        self.substituted = self.substituted.saturating_add(values.len());
        if values.is_empty() || self.substituted > MAX_VALUES {
            return self.push(What::Image, node);
        }
        for text in values.into_iter().filter(|text| !text.is_empty()) {
            self.add(What::Image, Some(text.into()), node.line);
        }
    }

    /// Steps, however deep they stand.
    fn steps(&mut self, node: &'n Node<'_>) {
        for item in node.items() {
            self.steps(item);
        }
        let all = members(node);
        let is_checkout = |text: &str| match reference::parse(text) {
            Ok(Reference::Remote { name, .. }) => name.ends_with("/checkout"),
            _ => false,
        };
        if all.iter().any(|(key, node)| *key == "uses" && node.text().is_some_and(is_checkout)) {
            let with = |wanted: &str| {
                let tables = all.iter().filter(|(key, _)| *key == "with");
                tables
                    .flat_map(|(_, node)| members(node))
                    .find(|(key, _)| key.eq_ignore_ascii_case(wanted))
                    .and_then(|(_, n)| n.text())
            };
            let has = |wanted: &str| all.iter().any(|(key, _)| *key == wanted);
            let is_githubs = |text: &str| text.to_ascii_lowercase().starts_with("actions/checkout@");
            let is_certain = all.iter().any(|(key, node)| *key == "uses" && node.text().is_some_and(is_githubs))
                && !has("if")
                && !has("continue-on-error");
            let repository = with("repository").filter(|text| !is_own(text));
            let checkout = Checkout {
                folder: with("path").unwrap_or_default(),
                repository,
                at: with("ref"),
                is_certain,
                line: node.line,
            };
            // This repository at its root is what a job works with anyway, until another has taken the place.
            let is_plain = repository.is_none() && checkout.folder.is_empty();
            if let Some(job) = self.jobs.last_mut()
                && !(is_plain && job.checkouts.iter().all(|each| each.repository.is_none()))
            {
                match job.checkouts.len() < MAX_CHECKOUTS {
                    true => job.checkouts.push(checkout),
                    false => job.excess = job.excess.or(Some(node.line)),
                }
            }
        }
        for (key, node) in all {
            match key {
                "uses" => self.push(What::Step, node),
                _ if DATA.contains(&key) => {}
                _ => self.steps(node),
            }
        }
    }
}

/// Whether the repository of a checkout is the one that the workflow lies in, or the fork that its change comes from.
fn is_own(text: &str) -> bool {
    let inner = text.trim().strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).map(str::trim);
    text.trim().is_empty()
        || matches!(inner, Some("github.repository" | "github.event.pull_request.head.repo.full_name"))
}

/// The members of a mapping, with those of what is merged into it.
fn members<'n>(node: &'n Node<'_>) -> Vec<(&'n str, &'n Node<'n>)> {
    fn gather<'n>(node: &'n Node<'_>, depth: usize, found: &mut Vec<(&'n str, &'n Node<'n>)>) {
        for member in node.members() {
            if member.key == "<<" && depth < MAX_MERGED {
                gather(&member.node, depth + 1, found);
                member.node.items().iter().for_each(|item| gather(item, depth + 1, found));
            } else {
                found.push((&member.key, &member.node));
            }
        }
    }
    let mut found = Vec::new();
    gather(node, 0, &mut found);
    found
}

/// A text once for each value of the one `${{ matrix.… }}` in it; nothing where the job's matrix does not list them.
fn matrix_of(text: &str, job: &Node<'_>) -> Vec<String> {
    let Some((before, rest)) = text.split_once("${{").filter(|_| text.len() <= 1_024) else { return Vec::new() };
    let Some((expression, after)) = rest.split_once("}}") else { return Vec::new() };
    let Some(path) = expression.trim().strip_prefix("matrix.") else { return Vec::new() };
    let Some(matrix) = job.get("strategy").and_then(|strategy| strategy.get("matrix")) else { return Vec::new() };
    let (first, below) = path.split_once('.').map_or((path, None), |(first, below)| (first, Some(below)));
    if after.contains("${{") {
        return Vec::new();
    }
    let listed = matrix.get(first).into_iter();
    // A list that an expression makes is not known.
    if listed.clone().any(|node| node.text().is_some()) || matrix.text_of("include").is_some() {
        return Vec::new();
    }
    let included = matrix.get("include").into_iter().flat_map(Node::items).filter_map(|item| item.get(first));
    let mut values = Vec::new();
    for value in listed.flat_map(Node::items).chain(included) {
        let value = match below {
            Some(below) => below.split('.').try_fold(value, |node, key| node.get(key)),
            None => Some(value),
        };
        match value {
            Some(node) if matches!(node.value, Value::Scalar(..)) => {
                let value = node.text().unwrap_or_default();
                if value.len() > 1_024 || values.len() > MAX_VALUES {
                    return Vec::new();
                }
                let whole = format!("{before}{value}{after}");
                values.push(if value.is_empty() && before.is_empty() { String::new() } else { whole });
            }
            Some(_) => return Vec::new(),
            None => {}
        }
    }
    values
}
