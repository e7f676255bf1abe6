//! The command. All it knows is exit codes.

use std::process::ExitCode;

use portcullis::cli::{self, Ending};
use portcullis::model::verdict::Decision;

fn main() -> ExitCode {
    ExitCode::from(match cli::main() {
        Ending::Done | Ending::Decided(Decision::Allow) => 0,
        Ending::Decided(Decision::Review | Decision::Deny) => 1,
        Ending::Usage => 2,
        Ending::Undecided | Ending::Decided(Decision::Incomplete) => 3,
    })
}
