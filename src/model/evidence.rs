//! Facts with their source. What could not be found out is a value of its own and never turns into "no".

/// Where a fact comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provenance {
    /// A path, or the name of a source.
    pub source: String,
    /// When the source said so; RFC 3339. None for the judged revision's own files.
    pub as_of: Option<String>,
}

words! {
    /// Why a fact could not be had.
    Reason {
        /// The run may not use the network.
        Offline = "offline",
        /// No rule asked, so nothing was fetched.
        NotAsked = "not-asked",
    }
}

/// A fact that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence<T> {
    /// The source answered with a value.
    Found(T, Provenance),
    /// The source answered that there is none.
    Absent(Provenance),
    /// Nobody answered.
    Unavailable(Reason),
}

impl<T> Evidence<T> {
    /// The value, where one was found.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(value, _) => Some(value),
            _ => None,
        }
    }

    /// Whether the source answered at all.
    pub fn is_available(&self) -> bool {
        !matches!(self, Self::Unavailable(_))
    }
}

/// The value of a reported fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactValue {
    /// Yes or no.
    Flag(bool),
    /// A count, or a number of days.
    Number(i64),
    /// A word or a name.
    Text(String),
}

/// A fact under the name the contract gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// `build-script`, `native-code`, `proc-macro`, `license`, `age-days`, `closure-size`.
    pub name: &'static str,
    /// What is known.
    pub value: Evidence<FactValue>,
}
