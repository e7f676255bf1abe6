//! What a pipeline's own files say that an attacker could use.

words! {
    /// A weakness of a workflow, a job or a step.
    Weakness {
        HeadCheckout = "head-checkout", TemplateInjection = "template-injection",
        EnvironmentInjection = "environment-injection", ExcessPermissions = "excess-permissions",
        DefaultPermissions = "default-permissions", PersistedCredentials = "persisted-credentials",
        SelfHostedRunner = "self-hosted-runner", CachePoisoning = "cache-poisoning", PipedScript = "piped-script",
        SecretToThirdParty = "secret-to-third-party", InheritedSecrets = "inherited-secrets",
        AllSecrets = "all-secrets", PrivilegedTrigger = "privileged-trigger", InputInjection = "input-injection",
        SecretInOutput = "secret-in-output", SpoofableActor = "spoofable-actor", InsecureCommands = "insecure-commands",
        GateRemoved = "gate-removed", GateSkippable = "gate-skippable", GateWeakened = "gate-weakened",
    }
}

/// A weakness at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weak {
    /// What is weak.
    pub weakness: Weakness,
    /// Id of the job; empty where the workflow as a whole is meant.
    pub job: String,
    /// Name or `uses` of the step, or its number; empty where the job as a whole is meant.
    pub step: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// What was seen, one line, with no line numbers in it: two weaknesses with equal job, step and detail are one.
    pub detail: String,
    /// Whether strangers can start the run with its secrets or write access: `pull_request_target`, `issue_comment`,
    /// `workflow_run` and their like.
    pub is_privileged: bool,
    /// Whether what is weak also stands beside what makes it dangerous; what that is, each weakness says in
    /// [`crate::evidence::workflow`]. Where a weakness knows no such difference, it is true.
    pub is_exposed: bool,
}
