//! What the forge says about who looked at a change.

/// A pull request of the judged change, and whose approval of it counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reviewed {
    /// Its number.
    pub number: u64,
    /// The commit it starts from; none where the forge names none. With [`Reviewed::to`]: the difference that it is.
    pub from: Option<String>,
    /// The commit it ends with.
    pub to: String,
    /// Of a merge queue's entry the ledger as the pull request itself has it; none where it is not read. What GitHub's
    /// commit has beyond that is none of its approvers' word.
    pub ledger: Option<String>,
    /// Whether the gate's files are, in GitHub's commit, those of the pull request.
    pub is_its_gate: bool,
    /// Whose approval counts, sorted by login.
    pub approvals: Vec<Approver>,
    /// One line each: why somebody does not count, which permission is lacking.
    pub remarks: Vec<String>,
}

/// Somebody whose approval counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approver {
    /// The login, as the forge writes it.
    pub login: String,
    /// The id of the review.
    pub review: u64,
}

/// Somebody who may approve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A user.
    Login(String),
    /// A team of an organisation, by its short name.
    Team {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
    },
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Login(login) => write!(f, "@{login}"),
            Self::Team { org, team } => write!(f, "@{org}/{team}"),
        }
    }
}

impl Owner {
    /// Reads `@login` or `@org/team`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('@')?;
        match name.split_once('/') {
            None => is_name(name).then(|| Self::Login(name.to_owned())),
            Some((org, team)) => (is_name(org) && is_name(team) && !name.ends_with(']'))
                .then(|| Self::Team { org: org.to_owned(), team: team.to_owned() }),
        }
    }
}

/// Everybody who may approve.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reviewers {
    /// Users and teams, as they are written, each once.
    pub owners: Vec<Owner>,
    /// What of it could not be understood, one line each.
    pub remarks: Vec<String>,
}

/// Whether this can be an owner, a repository, a login or a team's short name: GitHub's are of letters, digits, `-`, `_`
/// and `.`, and at most 100 characters long; `[bot]` stands behind the name of an application.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let text = text.strip_suffix("[bot]").unwrap_or(text);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 100 && text.bytes().all(fits) && !text.bytes().all(|byte| byte == b'.')
}
