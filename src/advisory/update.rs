//! Advisory archives from the network: OSV's `<Ecosystem>/all.zip` below one base address.
//!
//! Each archive is fetched to a file of its own and checked before the store hears of it: conditional requests spare
//! what is unchanged, a broken download goes on where it stopped, and what fails for good leaves the old store in use.
//! What is kept between two updates (entity tags, halves of archives) lies beside the store; nothing of it is believed
//! before an archive has been read whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::world::{Answer, Failed, Get, Http, Sink, State};

/// Where OSV publishes its archives (osv.dev, "Data sources").
pub const BASE: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Bytes of one archive, at the most.
pub const ARCHIVE_CAP: u64 = 1 << 30;

/// How often, and how long apart, a request that failed is made again.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Requests in all.
    pub tries: u32,
    /// Before the second; twice as long before each one after.
    pub first: Duration,
    /// The longest that a server may make one wait.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { tries: 4, first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

/// What is known of the last archive of one ecosystem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// The address it came from: another base has other archives.
    url: String,
    etag: Option<String>,
    modified: Option<String>,
    /// Digest of the store that took the archive in: one that was put back, or made anew, has not.
    store: Option<String>,
}

/// An archive that is to be fetched.
pub struct Wanted<'a> {
    /// The ecosystem as OSV names it.
    pub ecosystem: &'a str,
    /// Digest of the store that stands. Only what that very store took in may be left alone as unchanged.
    pub store: Option<&'a str>,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// The archive is new, and lies there.
    New(Archive),
    /// What the store holds is what there is, and was last changed then (`Last-Modified`).
    Unchanged(Option<String>),
}

/// An archive on disk, and what to remember once the store holds it.
#[derive(Debug)]
pub struct Archive {
    /// The file.
    pub path: PathBuf,
    kept: Kept,
    memory: PathBuf,
}

impl Archive {
    /// When the server last changed it (`Last-Modified`).
    #[must_use]
    pub fn modified(&self) -> Option<&str> {
        self.kept.modified.as_deref()
    }

    /// The store of that digest holds it: the next request may be conditional. The file goes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn done(self, store: &str) -> std::io::Result<()> {
        let kept = Kept { store: Some(store.to_owned()), ..self.kept };
        fs::write(&self.memory, toml::to_string(&kept).map_err(std::io::Error::other)?)?;
        fs::remove_file(&self.path)
    }
}

/// The right to change the user's store, held by one process at a time.
pub struct Held {
    folder: PathBuf,
    /// Lets go of the lock when it is dropped.
    _lock: File,
}

impl Held {
    /// Takes the right. The folder, where downloads and the lock lie, is made where it is missing.
    ///
    /// # Errors
    /// One line: another update or import is running, or the folder cannot be used.
    pub fn take(folder: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => {
                Err(format!("another update is running ({} is locked)", folder.display()))
            }
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// The folder of downloads.
pub struct Downloads<'a> {
    folder: &'a Path,
    http: &'a dyn Http,
    base: &'a str,
    pace: Pace,
}

/// Told of every step: the ecosystem, bytes here, bytes in all where known.
pub type Progress<'p> = dyn FnMut(&str, u64, Option<u64>) + 'p;

impl<'a> Downloads<'a> {
    /// Downloads to the folder of a right that is held.
    #[must_use]
    pub fn new(held: &'a Held, http: &'a dyn Http, base: &'a str, pace: Pace) -> Self {
        Self { folder: &held.folder, http, base: base.trim_end_matches('/'), pace }
    }

    /// The store took in everything: what was unchanged before is what this store holds as well.
    ///
    /// # Errors
    /// What the file system says.
    pub fn stands(&self, ecosystem: &str, store: &str) -> std::io::Result<()> {
        let name: String = ecosystem.bytes().map(escaped).collect();
        let memory = self.folder.join(format!("{name}.toml"));
        let Some(known) = recall(&memory) else { return Ok(()) };
        let kept = Kept { store: Some(store.to_owned()), ..known };
        fs::write(&memory, toml::to_string(&kept).map_err(std::io::Error::other)?)
    }

    /// Fetches one archive, unless what stands is what there is.
    ///
    /// # Errors
    /// One line that names the address and what is the matter.
    pub fn fetch(&self, wanted: &Wanted<'_>, progress: &mut Progress<'_>) -> Result<Outcome, String> {
        let name: String = wanted.ecosystem.bytes().map(escaped).collect();
        let url = format!("{}/{name}/all.zip", self.base);
        let file = |end: &str| self.folder.join(format!("{name}{end}"));
        let (archive, half, half_of, memory) = (file(".zip"), file(".part"), file(".part.toml"), file(".toml"));
        let is_of_store = |known: &Kept| wanted.store.is_some() && known.store.as_deref() == wanted.store;
        let known = recall(&memory).filter(|known| is_of_store(known) && known.url == url).unwrap_or_default();
        let mut tries = 0;
        loop {
            // What a broken download left behind is gone on with, where the server can still tell that it is the same.
            let begun = recall(&half_of).filter(|begun| begun.url == url && begun.etag.is_some());
            let here = begun.as_ref().and_then(|_| fs::metadata(&half).ok()).map_or(0, |meta| meta.len());
            let resume = begun.as_ref().and_then(|begun| begun.etag.as_deref()).filter(|_| here > 0);
            let get = Get {
                url: &url,
                etag: known.etag.as_deref().filter(|_| resume.is_none()),
                modified: known.modified.as_deref().filter(|_| resume.is_none()),
                resume: resume.map(|etag| (here, etag)),
                cap: ARCHIVE_CAP,
            };
            let mut part = Part { half: &half, half_of: &half_of, url: &url, file: None, here, total: None };
            let answer = {
                let mut telling = Telling { part: &mut part, progress, ecosystem: wanted.ecosystem };
                self.http.get(&get, &mut telling)
            };
            match answer {
                Ok(Answer { state: State::Unchanged, modified, .. }) => {
                    return Ok(Outcome::Unchanged(modified.or(known.modified)));
                }
                Ok(Answer { state: State::Other, .. }) => {
                    let _gone = (fs::remove_file(&half), fs::remove_file(&half_of));
                    tries += 1;
                    if tries >= self.pace.tries {
                        return Err(format!("{url}: the server has another archive each time"));
                    }
                }
                Ok(answer) => {
                    let sealed = part.seal(&archive);
                    let _gone = fs::remove_file(&half_of);
                    sealed.map_err(|error| format!("{url}: {error}"))?;
                    let kept = Kept { url, etag: answer.etag, modified: answer.modified, store: None };
                    return Ok(Outcome::New(Archive { path: archive, kept, memory }));
                }
                Err(failed) => {
                    tries += 1;
                    self.wait_or_fail(&url, tries, &failed)?;
                }
            }
        }
    }

    fn wait_or_fail(&self, url: &str, tries: u32, failed: &Failed) -> Result<(), String> {
        if !failed.passes || tries >= self.pace.tries {
            let times = if tries > 1 { format!(" ({tries} times)") } else { String::new() };
            return Err(format!("{url}: {failed}{times}"));
        }
        let backoff = self.pace.first.saturating_mul(1 << (tries - 1).min(16));
        self.http.wait(failed.again.unwrap_or(backoff).min(self.pace.longest));
        Ok(())
    }
}

/// A byte of an ecosystem's name in an address and in a file's name.
fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

fn recall(path: &Path) -> Option<Kept> {
    crate::text::toml(&fs::read_to_string(path).ok()?).ok()
}

/// A download that is under way.
struct Part<'p> {
    half: &'p Path,
    half_of: &'p Path,
    url: &'p str,
    file: Option<File>,
    here: u64,
    total: Option<u64>,
}

impl Part<'_> {
    fn begin(&mut self, answer: &Answer) -> std::io::Result<()> {
        let is_page = answer.kind.as_deref().is_some_and(|kind| kind.trim_start().starts_with("text/"));
        if is_page {
            return Err(std::io::Error::other("the answer is a page of text, and no archive"));
        }
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(self.half)?;
        match answer.state {
            State::Rest => {
                file.seek(SeekFrom::End(0))?;
            }
            _ => {
                file.set_len(0)?;
                self.here = 0;
                // A weak tag promises no equal bytes (RFC 9110, 13.1.5): nothing can go on from there.
                let etag = answer.etag.clone().filter(|etag| !etag.starts_with("W/"));
                let begun = Kept { url: self.url.to_owned(), etag, modified: answer.modified.clone(), store: None };
                fs::write(self.half_of, toml::to_string(&begun).map_err(std::io::Error::other)?)?;
            }
        }
        self.total = answer.length.map(|length| self.here + length);
        self.file = Some(file);
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.here += bytes.len() as u64;
        if self.here > ARCHIVE_CAP {
            return Err(std::io::Error::other(format!("the archive has more than {ARCHIVE_CAP} bytes")));
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Gives the archive its name, where it looks like one.
    fn seal(self, archive: &Path) -> std::io::Result<()> {
        let not_begun = || std::io::Error::other("the answer has no body");
        self.file.ok_or_else(not_begun)?.sync_all()?;
        let mut start = [0; 4];
        let is_zip =
            File::open(self.half)?.read_exact(&mut start).is_ok() && matches!(&start, b"PK\x03\x04" | b"PK\x05\x06");
        if !is_zip {
            fs::remove_file(self.half)?;
            return Err(std::io::Error::other("the answer is no zip archive"));
        }
        fs::rename(self.half, archive)
    }
}

struct Telling<'t, 'p, 'q> {
    part: &'t mut Part<'p>,
    progress: &'t mut Progress<'q>,
    ecosystem: &'t str,
}

impl Sink for Telling<'_, '_, '_> {
    fn begin(&mut self, answer: &Answer) -> std::io::Result<()> {
        if matches!(answer.state, State::Unchanged | State::Other) {
            return Ok(());
        }
        self.part.begin(answer)
    }

    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.part.take(bytes)?;
        (self.progress)(self.ecosystem, self.part.here, self.part.total);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ecosystems_are_parts_of_addresses_and_of_files() {
        let name: String = "GitHub Actions/..".bytes().map(escaped).collect();
        assert_eq!(name, "GitHub%20Actions%2F..");
    }
}
