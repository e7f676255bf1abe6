//! Every `uses` and every image of a workflow or action file.
//!
//! What a run takes stands at few places: `jobs.<id>.uses`, `jobs.<id>.steps[*].uses`, `jobs.<id>.container`,
//! `jobs.<id>.services.<id>.image`, `runs.steps[*].uses` and `runs.image`. Below keys that are not known, every `uses`
//! counts; below keys that hold data (`with`, `env`, `strategy`, …) none does. Merge keys count as what they merge.

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
    /// The job among [`Found::checkouts`].
    pub job: usize,
}

/// A repository that a step of a job puts into a folder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Checkout<'n> {
    pub folder: &'n str,
    /// The repository, where it is not this one.
    pub repository: Option<&'n str>,
    /// The ref, where one is written.
    pub at: Option<&'n str>,
}

/// What a file takes.
#[derive(Debug, Default)]
pub(super) struct Found<'n> {
    pub items: Vec<Item<'n>>,
    /// For each job, the folders that its steps put repositories into.
    pub checkouts: Vec<Vec<Checkout<'n>>>,
    substituted: usize,
}

/// Everything that a workflow or action file takes.
pub(super) fn collect<'n>(document: &'n Node<'_>) -> Found<'n> {
    let mut found = Found::default();
    for (key, node) in members(document) {
        match key {
            "jobs" => members(node).into_iter().for_each(|(_, job)| found.job(job)),
            "runs" => {
                found.checkouts.push(Vec::new());
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
        let text = node.text().map(std::borrow::Cow::Borrowed);
        self.items.push(Item { what, text, line: node.line, job: self.checkouts.len().saturating_sub(1) });
    }

    fn job(&mut self, job: &'n Node<'_>) {
        self.checkouts.push(Vec::new());
        for (key, node) in members(job) {
            self.job_member(key, node, job);
        }
    }

    fn job_member(&mut self, key: &str, node: &'n Node<'_>, job: &'n Node<'_>) {
        match key {
            "uses" => self.push(What::Workflow, node),
            "container" => self.container(node, job),
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
        let job = self.checkouts.len().saturating_sub(1);
        for text in values.into_iter().filter(|text| !text.is_empty()) {
            self.items.push(Item { what: What::Image, text: Some(text.into()), line: node.line, job });
        }
    }

    /// Steps, however deep they stand.
    fn steps(&mut self, node: &'n Node<'_>) {
        for item in node.items() {
            self.steps(item);
        }
        let all = members(node);
        let is_checkout = |text: &str| text.split('@').next().is_some_and(|action| action.ends_with("/checkout"));
        if all.iter().any(|(key, node)| *key == "uses" && node.text().is_some_and(is_checkout)) {
            let with = |wanted: &str| {
                let tables = all.iter().filter(|(key, _)| *key == "with");
                tables.flat_map(|(_, node)| members(node)).find(|(key, _)| *key == wanted).and_then(|(_, n)| n.text())
            };
            if let (Some(folder), Some(job)) = (with("path"), self.checkouts.last_mut()) {
                // Nothing makes use of thousands of them, and each local action looks through all.
                if job.len() < 64 {
                    let is_own = |text: &&str| {
                        !text.contains("github.repository") && !text.contains("github.event.pull_request")
                    };
                    job.push(Checkout { folder, repository: with("repository").filter(is_own), at: with("ref") });
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
