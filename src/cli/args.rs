//! What was typed, unresolved. Nothing is done while parsing.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// No library ships without an answer to "why are you here, and who looked?"
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 allow · 1 review or deny · 2 wrong usage or configuration · 3 could not decide")]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Repository to work on
    #[arg(long, global = true, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub repo: PathBuf,
    /// Never use the network: refuses `advisories update` and --forge
    #[arg(long, global = true)]
    pub offline: bool,
    /// Judge with exactly this advisory store, instead of the user's and the built-in baseline
    #[arg(long, global = true, value_name = "PATH", env = "PORTCULLIS_ADVISORIES", hide_env_values = true)]
    pub advisories: Option<PathBuf>,
    /// Whose policy, settings and ledger decide
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHOSE",
        default_value = "governing",
        hide_default_value = true
    )]
    pub policy_from: PolicyFrom,
    /// Judge as if it were this time (RFC 3339), for replays
    #[arg(long, global = true, value_name = "TIME")]
    pub now: Option<String>,
    /// Say only what blocks
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyFrom {
    Governing,
    Base,
    Head,
    BuiltIn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Gate a change: what it brings, judged by the protected branch's policy
    Check(Check),
    /// Judge everything that stands now, no diff
    Audit(Audit),
    /// Record that you looked at a package, bound to its checksum
    Approve(Approve),
    /// Answer, for a time, for what a rule refuses
    Waive(Waive),
    /// Show the path that brings a package in
    Why(Named),
    /// Say what a rule or an advisory means here, and how to mend it
    Explain(Explain),
    /// Write a starting .portcullis/
    Init,
    /// Git hooks
    #[command(subcommand)]
    Hook(Hook),
    /// Packs, their rules and their own tests
    #[command(subcommand)]
    Policy(Policy),
    /// The advisory store
    #[command(subcommand)]
    Advisories(Advisories),
    /// Print the JSON Schema of a published format
    Schema(Schema),
    /// Print completions for a shell
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, clap::Args)]
pub struct Report {
    /// How to report, repeatable: human (default), json, markdown, sarif, github or outputs; with =FILE into a file
    #[arg(long = "report", value_name = "FORMAT[=FILE]")]
    pub reports: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct Check {
    /// Compare with this revision instead of the merge base with the remote's default branch
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// Judge this revision
    #[arg(long, value_name = "REV", group = "judged")]
    pub head: Option<String>,
    /// Judge the work tree (the default at a desk)
    #[arg(long, group = "judged")]
    pub worktree: bool,
    /// Judge what is staged
    #[arg(long, group = "judged")]
    pub index: bool,
    /// Read reviews on the forge whose runner this is, and say the verdict there (GitHub Actions; needs GITHUB_TOKEN)
    #[arg(long)]
    pub forge: bool,
    /// When --forge comments on the pull request
    #[arg(long, value_enum, value_name = "WHEN", default_value = "on-findings", requires = "forge")]
    pub comment: Comment,
    #[command(flatten)]
    pub packs: AddPacks,
    #[command(flatten)]
    pub report: Report,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Comment {
    Always,
    OnFindings,
    Never,
}

#[derive(Debug, clap::Args)]
pub struct AddPacks {
    /// Judge by this pack as well, repeatable; none can be taken away
    #[arg(long = "add-pack", value_name = "NAME")]
    pub add: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct Audit {
    /// Folder to audit: a repository, or any folder
    pub path: Option<PathBuf>,
    /// Audit this revision instead of the work tree
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Audit only this lockfile, repeatable
    #[arg(long = "lockfile", value_name = "FILE")]
    pub lockfiles: Vec<PathBuf>,
    #[command(flatten)]
    pub packs: AddPacks,
    #[command(flatten)]
    pub report: Report,
}

#[derive(Debug, clap::Args)]
pub struct Approve {
    /// Package and version, as in pkg:cargo/name@1.2.3
    pub purl: String,
    /// Why it is here and what you saw
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Approve the new packages it brings in as well
    #[arg(long)]
    pub closure: bool,
    /// How deep you looked
    #[arg(long, value_enum, value_name = "DEPTH", default_value = "noted")]
    pub depth: Depth,
    /// Last day it counts
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// The login that approves on the forge [default: $GITHUB_ACTOR, else $USER]
    #[arg(long, value_name = "LOGIN")]
    pub by: Option<String>,
    /// Compare with this revision to find what is new
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    Noted,
    Inspected,
}

#[derive(Debug, clap::Args)]
pub struct Waive {
    /// Rule or advisory
    pub rule: String,
    /// What it covers: a purl (the version may be a range), a path, or a finding's fingerprint
    #[arg(long, value_name = "SUBJECT")]
    pub scope: String,
    /// Why it may pass
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Last day it counts
    #[arg(long, value_name = "DATE")]
    pub expires: String,
    /// Only in this project
    #[arg(long, value_name = "DIR")]
    pub project: Option<String>,
    /// Who answers for it [default: $GITHUB_ACTOR, else $USER]
    #[arg(long, value_name = "LOGIN")]
    pub by: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct Named {
    /// Package, as in pkg:cargo/name@1.2.3; the version may be left out
    pub purl: String,
    /// Look in this revision instead of the work tree
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct Explain {
    /// A rule's id, or an advisory's
    pub name: String,
}

#[derive(Debug, Subcommand)]
pub enum Hook {
    /// Install the pre-push hook of this repository
    Install,
    /// What the installed hook calls; reads git's lines from standard input
    #[command(hide = true)]
    PrePush {
        /// Name and address of the remote, as git gives them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        remote: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Policy {
    /// List packs and rules in use
    List,
    /// Show a pack or a rule: text, controls, settings
    Show {
        /// Pack or rule
        name: String,
    },
    /// Run the packs' own cases
    Test,
    /// Find rules that never speak, that say nothing new, or that can fail
    Lint,
    /// Prove that a changed policy refuses what the old one refuses, or show what it lets through
    Compare(Compare),
}

#[derive(Debug, clap::Args)]
pub struct Compare {
    /// The old policy's revision [default: the governing one, as in check]
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// The new policy's revision [default: the work tree]
    #[arg(long, value_name = "REV")]
    pub head: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Advisories {
    /// Fetch today's advisories of the ecosystems in use
    Update {
        /// Ecosystem, as in npm or pypi; repeatable [default: those of this repository and of the store]
        #[arg(long = "ecosystem", value_name = "NAME")]
        ecosystems: Vec<String>,
        /// Every ecosystem that has advisories
        #[arg(long, conflicts_with = "ecosystems")]
        all: bool,
        /// Address that holds <Ecosystem>/all.zip as OSV publishes them
        #[arg(long, value_name = "URL", env = "PORTCULLIS_ADVISORIES_FROM", hide_env_values = true)]
        from: Option<String>,
    },
    /// Take in a RustSec tree, OSV records (folder or zip), or folders of <Ecosystem>/all.zip
    Import {
        /// Files or folders
        #[arg(required = true, value_name = "SOURCE")]
        sources: Vec<PathBuf>,
        /// Write a store file of these sources alone, instead of adding them to the user's store
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// When the data was current (RFC 3339) [default: what the source says of itself]
        #[arg(long, value_name = "TIME")]
        as_of: Option<String>,
    },
    /// Show what the store holds, how old it is, and whether it is whole
    Status,
}

#[derive(Debug, clap::Args)]
pub struct Schema {
    /// Which format
    #[arg(value_enum, default_value = "verdict")]
    pub name: SchemaName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaName {
    Verdict,
    Config,
    Ledger,
}
