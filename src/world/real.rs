//! The real clock, environment and file system.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Env, Writer};

/// The environment of this process. What is not Unicode is replaced by U+FFFD.
#[must_use]
pub fn env() -> Env {
    let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// The time.
#[must_use]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Writes files below one folder and nowhere else.
#[derive(Debug, Clone)]
pub struct FileWriter {
    root: PathBuf,
}

/// Tells apart the temporary files of one process.
static COUNTER: AtomicU64 = AtomicU64::new(0);

impl FileWriter {
    /// A writer for what lies below a folder: the work tree, or the folder for hooks.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where a path lies, once every folder on the way is known to be a real one. Missing folders are made.
    fn place(&self, path: &Path) -> Result<(PathBuf, PathBuf)> {
        let refuse = |why: &str| Error::new(ErrorKind::InvalidInput, format!("{}: {why}", path.display()));
        let relative = if path.is_absolute() { path.strip_prefix(&self.root).ok() } else { Some(path) };
        let relative = relative.ok_or_else(|| refuse("lies outside the folder that may be written"))?;
        let mut folder = self.root.clone();
        let mut parts = relative.components().peekable();
        while let Some(part) = parts.next() {
            let Component::Normal(name) = part else { return Err(refuse("is no plain path")) };
            let at = folder.join(name);
            let meta = match at.symlink_metadata() {
                Ok(meta) => Some(meta),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            if meta.as_ref().is_some_and(Metadata::is_symlink) {
                return Err(refuse("leads through a symbolic link"));
            }
            if parts.peek().is_none() {
                return match meta {
                    Some(meta) if !meta.is_file() => Err(refuse("is no regular file")),
                    _ => Ok((folder, at)),
                };
            }
            if meta.is_none() {
                std::fs::create_dir(&at)?;
            }
            folder = at;
        }
        Err(refuse("names no file"))
    }
}

impl Writer for FileWriter {
    /// The bytes go to a new file in the same folder, which then takes the old one's place. An existing file keeps its
    /// permission bits, and `executable` adds to them.
    fn write(&self, path: &Path, bytes: &[u8], executable: bool) -> Result<()> {
        let (folder, target) = self.place(path)?;
        let (mut file, temporary) = create(&folder)?;
        let done = fill(&mut file, bytes, &target, executable).and_then(|()| {
            drop(file);
            std::fs::rename(&temporary, &target)
        });
        if let Err(error) = done {
            // The first error is the one to report; what is left behind is named after this program.
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
        sync_folder(&folder)
    }
}

/// A new file with a name that nobody has.
fn create(folder: &Path) -> Result<(File, PathBuf)> {
    let process = std::process::id();
    for _ in 0..100 {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".portcullis-{process}-{count}.tmp"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(ErrorKind::AlreadyExists, format!("{}: no name is left for a temporary file", folder.display())))
}

fn fill(file: &mut File, bytes: &[u8], target: &Path, executable: bool) -> Result<()> {
    file.write_all(bytes)?;
    let old = target.symlink_metadata().ok().filter(Metadata::is_file);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let has = match &old {
            Some(old) => old.permissions().mode() & 0o777,
            // The umask decided when the file was made.
            None => file.metadata()?.permissions().mode() & 0o777,
        };
        // Whoever may read may execute.
        let mode = if executable { has | (has & 0o444) >> 2 } else { has };
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    {
        let _ = executable;
        if let Some(old) = old {
            file.set_permissions(old.permissions())?;
        }
    }
    file.sync_all()
}

/// Makes a rename last. Only Unix can open a folder for that.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder that goes away with the value.
    pub(crate) struct TempDir(PathBuf);

    impl TempDir {
        pub(crate) fn new() -> Self {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("portcullis-test-{}-{count}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path.canonicalize().unwrap())
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }

        /// Writes a file and the folders above it.
        pub(crate) fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    impl Drop for TempDir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_environment_and_the_clock_are_real() {
        assert!(env().keys().any(|name| name.eq_ignore_ascii_case("path")));
        assert!(now() > jiff::Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn writing_replaces_files_and_leaves_nothing_else_behind() {
        let dir = TempDir::new();
        let writer = FileWriter::new(dir.path().to_path_buf());
        writer.write(Path::new("a/b/file"), b"one", false).unwrap();
        writer.write(&dir.path().join("a/b/file"), b"two", false).unwrap();
        assert_eq!(std::fs::read(dir.path().join("a/b/file")).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(dir.path().join("a/b")).unwrap().count(), 1);
        for path in ["../x", "/nowhere/x", "", ".", "a/b", "a/../x"] {
            assert!(writer.write(Path::new(path), b"x", false).is_err(), "{path}");
        }
        assert_eq!(std::fs::read_dir(dir.path().join("a/b")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn writing_keeps_the_mode_and_refuses_links() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = TempDir::new();
        let mode = |path: &str| dir.path().join(path).metadata().unwrap().permissions().mode() & 0o777;
        let writer = FileWriter::new(dir.path().to_path_buf());
        dir.write("old", "x");
        std::fs::set_permissions(dir.path().join("old"), std::fs::Permissions::from_mode(0o640)).unwrap();
        writer.write(Path::new("old"), b"y", false).unwrap();
        assert_eq!(mode("old"), 0o640);
        writer.write(Path::new("old"), b"y", true).unwrap();
        assert_eq!(mode("old"), 0o750);
        writer.write(Path::new("hook"), b"y", true).unwrap();
        assert_eq!(mode("hook") & 0o100, 0o100);
        symlink("old", dir.path().join("link")).unwrap();
        symlink("/tmp", dir.path().join("folder")).unwrap();
        assert!(writer.write(Path::new("link"), b"z", false).is_err());
        assert!(writer.write(Path::new("folder/file"), b"z", false).is_err());
        assert_eq!(std::fs::read(dir.path().join("old")).unwrap(), b"y");
    }
}
