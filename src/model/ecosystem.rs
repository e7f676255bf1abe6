//! The ecosystems of the contract, and how OSV and purl name them.

words! {
    /// One package universe: names in it are unique, and versions have one order. Closed; extended by release.
    Ecosystem {
        Cargo = "cargo", Npm = "npm", PyPi = "pypi", Go = "go", GitHubActions = "github-actions", Maven = "maven",
        RubyGems = "rubygems", Packagist = "packagist", NuGet = "nuget", Pub = "pub", Hex = "hex", Swift = "swift",
        Conan = "conan", CocoaPods = "cocoapods", Docker = "docker", Terraform = "terraform", PreCommit = "pre-commit",
    }
}

impl Ecosystem {
    /// The name OSV gives the ecosystem (OSV schema, `affected[].package.ecosystem`); none where OSV has no data for it.
    #[must_use]
    pub const fn osv(self) -> Option<&'static str> {
        Some(match self {
            Self::Cargo => "crates.io",
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
            Self::Go => "Go",
            Self::GitHubActions => "GitHub Actions",
            Self::Maven => "Maven",
            Self::RubyGems => "RubyGems",
            Self::Packagist => "Packagist",
            Self::NuGet => "NuGet",
            Self::Pub => "Pub",
            Self::Hex => "Hex",
            Self::Swift => "SwiftURL",
            Self::Conan => "ConanCenter",
            Self::CocoaPods | Self::Docker | Self::Terraform | Self::PreCommit => return None,
        })
    }

    /// The purl type (package-url/purl-spec, `types/`).
    #[must_use]
    pub const fn purl_type(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::PyPi => "pypi",
            Self::Go => "golang",
            Self::GitHubActions | Self::PreCommit => "github",
            Self::Maven => "maven",
            Self::RubyGems => "gem",
            Self::Packagist => "composer",
            Self::NuGet => "nuget",
            Self::Pub => "pub",
            Self::Hex => "hex",
            Self::Swift => "swift",
            Self::Conan => "conan",
            Self::CocoaPods => "cocoapods",
            Self::Docker => "docker",
            Self::Terraform => "terraform",
        }
    }
}
