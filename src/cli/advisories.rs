//! `advisories import | status`.

use std::path::{Path, PathBuf};

use super::args::{Advisories, Global};
use super::{Ending, Error, print, request, store_path};
use crate::advisory::import;
use crate::advisory::store::{Builder, Store};
use crate::advisory::{self};
use crate::model::verdict::Decision;
use crate::report::escape::terminal;
use crate::run::advisories::age_in_days;
use crate::world::{Env, Writer, real};

pub(super) fn run(global: &Global, env: &Env, args: &Advisories) -> Result<Ending, Error> {
    match args {
        Advisories::Import { sources, output, as_of } => {
            take(global, env, sources, output.as_deref(), as_of.as_deref())
        }
        Advisories::Status => status(global, env),
    }
}

fn take(
    global: &Global,
    env: &Env,
    sources: &[PathBuf],
    output: Option<&Path>,
    as_of: Option<&str>,
) -> Result<Ending, Error> {
    let undecided = |e: &dyn std::fmt::Display| Error::Undecided(e.to_string());
    let target = match output {
        Some(path) => path.to_path_buf(),
        None => store_path(env).ok_or_else(|| Error::Usage("no cache folder: set PORTCULLIS_CACHE".to_owned()))?,
    };
    let mut builder = Builder::new();
    let mut covered: Vec<String> = Vec::new();
    if output.is_none() {
        // The baseline is one more source: a store of a few records must not take its place.
        let mut known = vec![advisory::built_in().map_err(|e| undecided(&e))?];
        if target.exists() {
            known.push(Store::open(&target).map_err(|e| undecided(&format!("{}: {e}", target.display())))?);
        }
        for store in known {
            covered.extend(store.sources().iter().map(|source| source.ecosystem.clone()));
            builder.add_store(&store).map_err(|e| undecided(&e))?;
        }
    }
    let mut text = String::new();
    let now = request::now(global)?;
    if let Some(as_of) = as_of
        && age_in_days(as_of, now).is_none_or(|days| days < -1)
    {
        return Err(Error::Usage(format!(
            "--as-of {}: a time that is over, as in 2026-11-22T10:00:00Z",
            terminal(as_of)
        )));
    }
    for source in sources {
        for mut imported in
            import::read(source, as_of.or(commit_time(source, env).as_deref()), now).map_err(|e| undecided(&e))?
        {
            for of in &imported.sources {
                text += &format!("{}: as of {}\n", terminal(&of.ecosystem), terminal(&of.as_of));
            }
            if as_of.is_none() && import::is_partial(source) {
                // Loose records say nothing of how current the rest of their ecosystem is.
                imported.sources.retain(|of| !covered.contains(&of.ecosystem));
            }
            text += &format!("{} records, {} skipped\n", imported.records.len(), imported.skipped.len());
            let shown = if global.verbose > 0 { usize::MAX } else { 10 };
            for skipped in imported.skipped.iter().take(shown) {
                text += &format!("  skipped {}\n", terminal(&format!("{}: {}", skipped.id, skipped.reason)));
            }
            if imported.skipped.len() > shown {
                text += &format!("  and {} more (-v shows them)\n", imported.skipped.len() - shown);
            }
            builder.add(imported);
        }
    }
    let bytes = builder.build().map_err(|e| undecided(&e))?;
    let absolute = std::path::absolute(&target)?;
    let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(Error::Usage(format!("{}: no file", target.display())));
    };
    if output.is_none() {
        std::fs::create_dir_all(folder)?;
    }
    let written = real::FileWriter::new(folder.to_path_buf()).write(Path::new(name), &bytes, false);
    written.map_err(|e| undecided(&format!("{}: {e}", target.display())))?;
    // What was written is read back whole: a store is trusted by its pages, and this is when all of them are checked.
    Store::open(&target).and_then(|store| store.verify_all()).map_err(|e| undecided(&e))?;
    text += &format!("wrote {} ({} KiB)\n", terminal(&target.display().to_string()), bytes.len().div_ceil(1024));
    print(&text)
}

/// When a tree under git was committed; its records carry days only.
fn commit_time(source: &Path, env: &Env) -> Option<String> {
    source.join(".git").exists().then_some(())?;
    let repo = crate::world::git::GitRepo::open(source, env).ok()??;
    match crate::world::Repo::resolve(&repo, "HEAD").ok()? {
        crate::world::Rev::Commit { time, .. } => jiff::Timestamp::from_second(time).ok().map(|time| time.to_string()),
        _ => None,
    }
}

fn status(global: &Global, env: &Env) -> Result<Ending, Error> {
    let now = request::now(global)?;
    let mut text = String::new();
    let mut whole = true;
    let mut one = |title: String, store: Result<Store, String>| match store {
        Ok(store) => {
            text += &format!("{title}\n  {}\n", store.digest());
            for source in store.sources() {
                let age =
                    age_in_days(&source.as_of, now).map_or("of no known age".to_owned(), |d| format!("{d} days old"));
                let line =
                    format!("{:16} {:>7} records  as of {} ({age})", source.ecosystem, source.records, source.as_of);
                text += &format!("  {}\n", terminal(&line));
            }
            match store.verify_all() {
                Ok(()) => text += "  whole: every page and the digest are right\n",
                Err(error) => {
                    whole = false;
                    text += &format!("  damaged: {}\n", terminal(&error.to_string()));
                }
            }
        }
        Err(reason) => {
            whole = false;
            text += &format!("{title}\n  {}\n", terminal(&reason));
        }
    };
    match &global.advisories {
        Some(path) => one(path.display().to_string(), Store::open(path).map_err(|e| e.to_string())),
        None => {
            match store_path(env) {
                Some(path) if path.exists() => {
                    one(path.display().to_string(), Store::open(&path).map_err(|e| e.to_string()));
                }
                _ => {}
            }
            one("built into the program".to_owned(), advisory::built_in().map_err(|e| e.to_string()));
        }
    }
    print(&text)?;
    Ok(Ending::Decided(if whole { Decision::Allow } else { Decision::Incomplete }))
}
