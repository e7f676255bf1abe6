//! Stage 10: the verdict as bytes. Rendering is a pure function of the verdict: no renderer computes or changes a
//! decision, and none reads anything but the model.
//!
//! A format is one file with a `render(&Verdict, &Look) -> String`, a `mod` line, and one line in the table below,
//! which gives it its name, its place in [`Format::ALL`] and its call. What several formats say in the same words is in
//! [`words`]; what they show at a file and a line, [`place`] finds. Whatever a format prints that came from the
//! judged repository goes through [`escape`] for that format's sink.

pub mod escape;
pub mod github;
pub mod human;
pub mod json;
pub mod markdown;
pub mod outputs;
pub mod place;
#[cfg(test)]
mod samples;
pub mod sarif;
pub mod schema;
pub mod words;

use crate::model::verdict::Verdict;

/// What a report may know about the place it is shown in. Nothing here changes what is said, only how and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Whether the sink understands colour.
    pub colour: bool,
    /// Columns; 0 where the sink is no terminal.
    pub width: usize,
    /// How often more detail was asked for.
    pub verbose: u8,
    /// Whether only what blocks is wanted.
    pub quiet: bool,
}

/// The table of formats: variant, name on the command line, renderer.
macro_rules! formats {
    ($($(#[$meta:meta])* $variant:ident = $name:literal => $render:path),+ $(,)?) => {
        /// A report format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format { $($(#[$meta])* $variant),+ }

        impl Format {
            /// Every format, the default first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name `--report` takes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The format of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        /// The verdict in the given format, with a newline at its end.
        #[must_use]
        pub fn render(format: Format, verdict: &Verdict, look: &Look) -> String {
            match format { $(Format::$variant => $render(verdict, look)),+ }
        }
    };
}

formats! {
    /// For people, on a terminal.
    Human = "human" => human::render,
    /// `portcullis/verdict/v1`.
    Json = "json" => json::render,
    /// For a comment or a job summary on GitHub.
    Markdown = "markdown" => markdown::render,
    /// SARIF 2.1.0, for code scanning.
    Sarif = "sarif" => sarif::render,
    /// Workflow commands on standard output, which a GitHub runner turns into annotations.
    Github = "github" => github::render,
    /// `name=value` lines for the steps that follow.
    Outputs = "outputs" => outputs::render,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(*format));
        }
        assert_eq!(Format::from_name("HUMAN"), None);
    }

    #[test]
    fn every_format_carries_the_decision_and_repeats_itself() {
        for verdict in samples::all() {
            for format in Format::ALL {
                let text = render(*format, &verdict, &Look::default());
                assert!(text.to_lowercase().contains(verdict.decision.as_str()), "{text}");
                assert!(text.ends_with('\n'));
                assert_eq!(text, render(*format, &verdict, &Look::default()));
            }
        }
    }
}
