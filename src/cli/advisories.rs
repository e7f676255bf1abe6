//! `advisories update | import | status`.

use std::path::{Path, PathBuf};

use super::args::{Advisories, Global};
use super::progress::Progress;
use super::{Ending, Error, print, request, store_path};
use crate::advisory::import;
use crate::advisory::store::{Builder, Store, StoreError};
use crate::advisory::update::{self, Held, Pace};
use crate::advisory::{self};
use crate::ecosystem::FORMATS;
use crate::model::Ecosystem;
use crate::model::advisory::SourceAge;
use crate::model::verdict::Decision;
use crate::report::escape::terminal;
use crate::run::advisories::age_in_days;
use crate::world::net::{Net, Patience, check_base};
use crate::world::{Env, Writer, real};

pub(super) fn run(global: &Global, env: &Env, args: &Advisories) -> Result<Ending, Error> {
    match args {
        Advisories::Update { ecosystems, all, from } => update(global, env, ecosystems, *all, from.as_deref()),
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
    // Held until the store is written: an update in between would be lost.
    let _held = match output {
        None => Some(Held::take(&downloads_of(&target)).map_err(Error::Undecided)?),
        Some(_) => None,
    };
    if output.is_none() {
        for store in standing(&target)? {
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
    text += &write(builder, &target, output.is_none())?;
    print(&text)
}

/// What the user's store grows from. The baseline is one more source: a store of a few records must not take its place.
fn standing(target: &Path) -> Result<Vec<Store>, Error> {
    let undecided = |e: &dyn std::fmt::Display| Error::Undecided(e.to_string());
    let mut known = vec![advisory::built_in().map_err(|e| undecided(&e))?];
    if target.exists() {
        known.push(Store::open(target).map_err(|e| undecided(&format!("{}: {e}", target.display())))?);
    }
    Ok(known)
}

/// Writes a store in one step, and says so.
fn write(builder: Builder, target: &Path, makes_folder: bool) -> Result<String, Error> {
    let undecided = |e: &dyn std::fmt::Display| Error::Undecided(e.to_string());
    let bytes = builder.build().map_err(|e| undecided(&e))?;
    let absolute = std::path::absolute(target)?;
    let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(Error::Usage(format!("{}: no file", target.display())));
    };
    if makes_folder {
        std::fs::create_dir_all(folder)?;
    }
    let written = real::FileWriter::new(folder.to_path_buf()).write(Path::new(name), &bytes, false);
    written.map_err(|e| undecided(&format!("{}: {e}", target.display())))?;
    // What was written is read back whole: a store is trusted by its pages, and this is when all of them are checked.
    Store::open(target).and_then(|store| store.verify_all()).map_err(|e| undecided(&e))?;
    Ok(format!("wrote {} ({} KiB)\n", terminal(&target.display().to_string()), bytes.len().div_ceil(1024)))
}

fn update(global: &Global, env: &Env, named: &[String], all: bool, from: Option<&str>) -> Result<Ending, Error> {
    let undecided = |e: &dyn std::fmt::Display| Error::Undecided(e.to_string());
    if global.offline {
        return Err(Error::Usage("--offline: an update asks the network; advisories import takes files".to_owned()));
    }
    if global.advisories.is_some() {
        let instead = "an update is of the user's store: advisories import --output writes a store file";
        return Err(Error::Usage(format!("--advisories: {instead}")));
    }
    let base = from.unwrap_or(update::BASE);
    check_base(base).map_err(|reason| Error::Usage(format!("--from: {reason}")))?;
    let target = store_path(env).ok_or_else(|| Error::Usage("no cache folder: set PORTCULLIS_CACHE".to_owned()))?;
    let now = request::now(global)?;
    let held = Held::take(&downloads_of(&target)).map_err(Error::Undecided)?;
    let (users, lost) = users_store(&target)?;
    let in_store = |ecosystem: Ecosystem| users.as_ref().is_some_and(|s| s.source(ecosystem.as_str()).is_some());
    let wanted = wanted(global, env, named, all, &in_store)?;
    if wanted.is_empty() {
        return Err(Error::Usage("no ecosystem is in use here: name one with --ecosystem, or --all".to_owned()));
    }
    let net = Net::new(Patience::default()).map_err(Error::Undecided)?;
    let downloads = update::Downloads::new(&held, &net, base, Pace::default());
    let mut builder = Builder::new();
    builder.add_store(&advisory::built_in().map_err(|e| undecided(&e))?).map_err(|e| undecided(&e))?;
    if let Some(store) = &users {
        builder.add_store(store).map_err(|e| undecided(&e))?;
    }
    let is_lost = lost.is_some();
    let (mut text, mut failed, mut done) = (String::new(), Vec::new(), Vec::new());
    for ecosystem in wanted {
        let Some(osv) = ecosystem.osv() else { continue };
        let digest = users.as_ref().filter(|_| in_store(ecosystem)).map(Store::digest);
        let wanted = update::Wanted { ecosystem: osv, store: digest };
        let fetched = {
            let mut progress = Progress::new(global.quiet);
            downloads.fetch(&wanted, &mut |what, here, of| progress.bytes(what, here, of))
        };
        match fetched {
            Ok(update::Outcome::Unchanged(modified)) => {
                let as_of = current_as_of(modified.as_deref(), now);
                let source = SourceAge { ecosystem: ecosystem.as_str().to_owned(), as_of, records: 0, built_in: false };
                builder.add(import::Imported { sources: vec![source], ..import::Imported::default() });
                text += &format!("{ecosystem}: unchanged\n");
                done.push((osv, None));
            }
            Ok(update::Outcome::New(archive)) => {
                let as_of = current_as_of(archive.modified(), now);
                match taken_in(&archive.path, ecosystem, &as_of, now) {
                    Ok(imported) => {
                        let (records, skipped) = (imported.records.len(), imported.skipped.len());
                        text += &format!("{ecosystem}: {records} records, {skipped} skipped\n");
                        builder.add(imported);
                        done.push((osv, Some(archive)));
                    }
                    Err(reason) => {
                        let _gone = std::fs::remove_file(&archive.path);
                        failed.push(format!("{ecosystem}: {reason}"));
                    }
                }
            }
            Err(reason) => failed.push(format!("{ecosystem}: {reason}")),
        }
    }
    if !done.is_empty() {
        text += &write(builder, &target, true)?;
        let store = Store::open(&target).map_err(|e| undecided(&e))?;
        // What was not asked about stands in the new store as it did in the old one.
        for ecosystem in Ecosystem::ALL.iter().filter_map(|ecosystem| ecosystem.osv()) {
            if !done.iter().any(|(osv, _)| *osv == ecosystem) && !is_lost {
                downloads.stands(ecosystem, store.digest())?;
            }
        }
        for (osv, archive) in done {
            match archive {
                Some(archive) => archive.done(store.digest())?,
                None => downloads.stands(osv, store.digest())?,
            }
        }
    }
    failed.extend(lost);
    print(&text)?;
    match failed.as_slice() {
        [] => Ok(Ending::Done),
        reasons => Err(Error::Undecided(format!("{}: what was known before stays in use", reasons.join("; ")))),
    }
}

/// Where the downloads of a store lie, and the lock on it.
fn downloads_of(store: &Path) -> PathBuf {
    store.with_file_name("downloads")
}

/// The user's store, and what is to be said where it was damaged: nothing in it is worth keeping then, and what it held
/// of other ecosystems has to be fetched again.
fn users_store(target: &Path) -> Result<(Option<Store>, Option<String>), Error> {
    if !target.exists() {
        return Ok((None, None));
    }
    let store = Store::open(target).and_then(|store| store.verify_all().map(|()| store));
    match store {
        Ok(store) => Ok((Some(store), None)),
        Err(error @ (StoreError::Damaged { .. } | StoreError::TooOld { .. })) => {
            let lost = format!("{error}; it is made anew, of what was fetched now alone");
            Ok((None, Some(lost)))
        }
        Err(error) => Err(Error::Undecided(error.to_string())),
    }
}

/// When an archive was current: now, where the server says nothing else. What it last changed longer ago is still what
/// there is, but a mirror that stands still must not look fresh for ever.
fn current_as_of(modified: Option<&str>, now: jiff::Timestamp) -> String {
    let modified = modified.and_then(|text| jiff::fmt::rfc2822::parse(text).ok()).map(|zoned| zoned.timestamp());
    modified.filter(|modified| *modified < now).unwrap_or(now).to_string()
}

/// What an archive holds, where it is what it should be.
fn taken_in(path: &Path, ecosystem: Ecosystem, as_of: &str, now: jiff::Timestamp) -> Result<import::Imported, String> {
    let mut all = import::read(path, Some(as_of), now).map_err(|e| e.to_string())?;
    let Some(mut imported) = all.pop() else { return Err("the archive is empty".to_owned()) };
    // Records of other ecosystems come along where an advisory speaks of both; only this one is whole.
    imported.sources.retain(|source| source.ecosystem == ecosystem.as_str());
    if imported.sources.is_empty() {
        return Err(format!("the archive holds no record of {ecosystem}"));
    }
    Ok(imported)
}

/// The ecosystems to update: those that were named, or those of the repository and of the user's store.
fn wanted(
    global: &Global,
    env: &Env,
    named: &[String],
    all: bool,
    in_store: &dyn Fn(Ecosystem) -> bool,
) -> Result<Vec<Ecosystem>, Error> {
    let known = || Ecosystem::ALL.iter().copied().filter(|ecosystem| ecosystem.osv().is_some());
    if all {
        return Ok(known().collect());
    }
    if !named.is_empty() {
        let read = |word: &String| {
            known().find(|ecosystem| ecosystem.as_str() == word.as_str()).ok_or_else(|| {
                let words: Vec<&str> = known().map(Ecosystem::as_str).collect();
                Error::Usage(format!("--ecosystem {}: one of {}", word.escape_debug(), words.join(", ")))
            })
        };
        return named.iter().map(read).collect();
    }
    let repo = super::open(&global.repo, env)?;
    let tree = repo.tree(&crate::world::Rev::WorkTree)?;
    let mut wanted: Vec<Ecosystem> = known().filter(|ecosystem| in_store(*ecosystem)).collect();
    for entry in tree.list().map_err(|e| Error::Undecided(e.to_string()))? {
        let claiming = FORMATS.iter().filter(|format| format.kinds().iter().any(|kind| kind.matches(&entry.path)));
        wanted.extend(claiming.map(|format| format.ecosystem()).filter(|ecosystem| ecosystem.osv().is_some()));
    }
    wanted.sort();
    wanted.dedup();
    Ok(wanted)
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
