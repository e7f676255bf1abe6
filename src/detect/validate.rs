//! Whether a text that looks like a secret or a personal number can be one.
//!
//! Each check rests on a public fact: a checksum, a range of valid numbers, a format. A text that a check cannot place
//! is kept: validators take away what is certainly harmless.

mod number;
mod secret;

pub use super::validator::Validator;

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'t> {
    /// The group `secret`, or the whole match.
    pub text: &'t [u8],
    /// What follows it in the file, as far as is looked at.
    pub after: &'t [u8],
    /// Bits per character that are asked for; none: by alphabet.
    pub min_entropy: Option<f64>,
}

impl Validator {
    /// Whether the text passes.
    #[must_use]
    pub fn accepts(self, candidate: &Candidate<'_>) -> bool {
        let text = candidate.text;
        match self {
            Self::Luhn => number::is_card(text),
            Self::Entropy => secret::is_random(text, candidate.min_entropy),
            Self::NotPlaceholder => !secret::is_placeholder(text),
            Self::Ssn => number::is_ssn(text),
            Self::Iban => number::is_iban(text),
            Self::Jwt => secret::is_jwt(text),
            Self::Pem => secret::is_pem(text, candidate.after),
            Self::GithubToken => secret::is_github_token(text),
            Self::RoutingNumber => number::is_routing_number(text),
            Self::Npi => number::is_npi(text),
        }
    }
}
