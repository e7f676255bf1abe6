//! Names of the checks that [`super::validate`] makes.

words! {
    /// What the text of a match must be.
    Validator {
        /// A payment card's number: an issuer's range, its length, Luhn's check digit.
        Luhn = "luhn",
        /// Random looking: enough bits per character for its alphabet.
        Entropy = "entropy",
        /// No word that stands for a secret to be filled in.
        NotPlaceholder = "not-placeholder",
        /// A social security number that may have been issued.
        Ssn = "ssn",
        /// An international bank account number with its check digits.
        Iban = "iban",
        /// A JSON web token.
        Jwt = "jwt",
        /// A PEM header that key material follows.
        Pem = "pem",
        /// A token of GitHub with its checksum.
        GithubToken = "github-token",
        /// A United States bank's routing number with its check digit.
        RoutingNumber = "routing-number",
        /// A national provider identifier (health care) with its check digit.
        Npi = "npi",
    }
}
