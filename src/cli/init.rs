//! `init`: a starting `.portcullis/`, with every setting at its default and said to be.

use std::path::Path;

use super::args::Global;
use super::{Ending, Error, gate_file, open, print};
use crate::gate::{CONFIG, LEDGER};
use crate::world::{Env, Writer, real};

const STARTING_CONFIG: &str = include_str!("starting-config.toml");
const STARTING_LEDGER: &str = include_str!("starting-ledger.toml");

pub(super) fn run(global: &Global, env: &Env) -> Result<Ending, Error> {
    let repo = open(&global.repo, env)?;
    let (config, _) = gate_file(&*repo, CONFIG)?;
    if config.symlink_metadata().is_ok() {
        return Err(Error::Usage(format!("{CONFIG} is there already; nothing was written")));
    }
    let Some(root) = repo.work_dir() else { return Ok(Ending::Usage) };
    let writer = real::FileWriter::new(root.to_path_buf());
    writer.write(Path::new(CONFIG), STARTING_CONFIG.as_bytes(), false)?;
    // The first approval makes a ledger; it stays as it is.
    let (ledger, _) = gate_file(&*repo, LEDGER)?;
    let wrote = if ledger.symlink_metadata().is_ok() {
        CONFIG.to_owned()
    } else {
        writer.write(Path::new(LEDGER), STARTING_LEDGER.as_bytes(), false)?;
        format!("{CONFIG} and {LEDGER}")
    };
    print(&format!(
        "Wrote {wrote}.\nNext: name who may approve (`reviewers`), let CODEOWNERS protect /.portcullis/, \
         and run portcullis check.\n"
    ))
}
