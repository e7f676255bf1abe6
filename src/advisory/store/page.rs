//! Pages: the checked, lazily read ground everything else stands on.
//!
//! A file is pages of 4 KiB. The last four bytes of each are a CRC-32 of the rest and of the page's number, so a page
//! that was damaged, or that stands where another belongs, is known as such when it is first touched. What was checked
//! is kept until the store is dropped: a store is some megabytes, and a run touches a part of it.

use std::fs::File;
use std::sync::OnceLock;

use super::StoreError;

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;
/// Bytes of a page that its checksum covers.
pub(super) const BODY: usize = PAGE - 4;

/// The most pages of a store: a stream of 4 GiB and its index fit. Keeps a sparse file from asking for memory.
const PAGE_CAP: usize = 1 << 21;

/// Where pages come from.
enum Source {
    Static(&'static [u8]),
    Memory(Vec<u8>),
    File(File),
}

enum Held {
    Static(&'static [u8]),
    Read(Box<[u8]>),
}

impl Held {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Static(bytes) => bytes,
            Self::Read(bytes) => bytes,
        }
    }
}

/// The pages of one store.
pub(super) struct Pages {
    /// What messages call the store.
    pub(super) name: String,
    source: Source,
    held: Vec<OnceLock<Held>>,
}

impl Pages {
    pub(super) fn of_static(bytes: &'static [u8]) -> Result<Self, StoreError> {
        Self::new("the built-in baseline".to_owned(), Source::Static(bytes), bytes.len() as u64)
    }

    pub(super) fn of_memory(bytes: Vec<u8>) -> Result<Self, StoreError> {
        let length = bytes.len() as u64;
        Self::new("a store in memory".to_owned(), Source::Memory(bytes), length)
    }

    pub(super) fn of_file(name: String, file: File) -> Result<Self, StoreError> {
        let length = file.metadata().map_err(|e| StoreError::unreadable(&name, &e))?.len();
        Self::new(name, Source::File(file), length)
    }

    fn new(name: String, source: Source, length: u64) -> Result<Self, StoreError> {
        let count = usize::try_from(length / PAGE as u64).unwrap_or(usize::MAX);
        if length == 0 || !length.is_multiple_of(PAGE as u64) || count > PAGE_CAP {
            return Err(StoreError::damaged(&name, "it is not made of whole pages"));
        }
        let held = std::iter::repeat_with(OnceLock::new).take(count).collect();
        Ok(Self { name, source, held })
    }

    /// How many pages there are.
    pub(super) fn count(&self) -> usize {
        self.held.len()
    }

    /// A page that was found to be whole.
    pub(super) fn page(&self, number: usize) -> Result<&[u8], StoreError> {
        let Some(slot) = self.held.get(number) else {
            return Err(StoreError::damaged(&self.name, "something lies beyond its end"));
        };
        if let Some(held) = slot.get() {
            return Ok(held.bytes());
        }
        let held = self.unchecked(number)?;
        let whole = held
            .bytes()
            .split_last_chunk::<4>()
            .is_some_and(|(body, crc)| body.len() == BODY && checksum(number, body) == u32::from_le_bytes(*crc));
        if !whole {
            return Err(StoreError::damaged(&self.name, &format!("page {number} has a wrong checksum")));
        }
        Ok(slot.get_or_init(|| held).bytes())
    }

    /// The first page before it was checked.
    pub(super) fn first(&self) -> Result<Vec<u8>, StoreError> {
        Ok(self.unchecked(0)?.bytes().to_vec())
    }

    fn unchecked(&self, number: usize) -> Result<Held, StoreError> {
        let offset = number as u64 * PAGE as u64;
        match &self.source {
            Source::Static(bytes) => {
                let start = number * PAGE;
                let page = bytes.get(start..start + PAGE);
                page.map(Held::Static).ok_or_else(|| StoreError::damaged(&self.name, "it ends early"))
            }
            Source::Memory(bytes) => {
                let start = number * PAGE;
                let page = bytes.get(start..start + PAGE);
                page.map(|page| Held::Read(page.into())).ok_or_else(|| StoreError::damaged(&self.name, "it ends early"))
            }
            Source::File(file) => {
                let mut page = vec![0; PAGE].into_boxed_slice();
                read_at(file, &mut page, offset).map_err(|e| StoreError::unreadable(&self.name, &e))?;
                Ok(Held::Read(page))
            }
        }
    }
}

/// The checksum of a page.
pub(super) fn checksum(number: usize, body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(body);
    crc.update(&(number as u64).to_le_bytes());
    crc.finalize()
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut into: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !into.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, into, offset)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        into = into.get_mut(read..).unwrap_or_default();
        offset += read as u64;
    }
    Ok(())
}
