//! Disks are sparse files with real bytes: as large as they say, as small as what was written.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use super::refusal::Refusal;

const BYTES_PER_GB: u64 = 1_000_000_000;
const CHUNK: usize = 1 << 20;

/// The directory of disk files, `<id>.img` each.
///
/// A file that only we have touched carries a modification time of our own, the seal. Whoever
/// writes into it breaks the seal, even within the same tick of the file system's clock.
///
/// Without a directory disks have no bytes, and nobody but a running server ever writes to them.
#[derive(Clone, Debug)]
pub(super) struct Disks {
    dir: Option<PathBuf>,
}

impl Disks {
    pub(super) fn new(dir: PathBuf) -> Disks {
        Disks { dir: Some(dir) }
    }

    /// Disks without bytes.
    pub(super) fn blank() -> Disks {
        Disks { dir: None }
    }

    /// Where the bytes of a disk are.
    pub(super) fn path(&self, id: &str) -> Option<PathBuf> {
        self.dir.as_ref().map(|dir| dir.join(format!("{id}.img")))
    }

    /// Makes a disk that is empty but for its first bytes.
    pub(super) fn create(&self, id: &str, size_gb: u64, header: &[u8]) -> Result<(), Refusal> {
        self.build(id, size_gb, false, |file| file.write_all_at(header, 0))
    }

    /// Makes a disk with the bytes of another one, which is not larger. They are on the medium when it is there: the
    /// original may be deleted next.
    pub(super) fn copy(&self, from: &str, to: &str, size_gb: u64) -> Result<(), Refusal> {
        match self.path(from) {
            Some(path) => self.import(&path, to, size_gb),
            None => Ok(()),
        }
    }

    /// Makes a disk with the bytes of a file, which is not larger.
    pub(super) fn import(&self, from: &Path, to: &str, size_gb: u64) -> Result<(), Refusal> {
        let source = File::open(from).map_err(|error| Refusal::storage("open", from, error))?;
        self.build(to, size_gb, true, |file| if share_extents(&source, file) { Ok(()) } else { copy_extents(&source, file) })
    }

    /// The smallest disk that a file fits on, in GB.
    pub(super) fn size_of(file: &Path) -> Result<u64, Refusal> {
        let found = fs::metadata(file).map_err(|error| Refusal::storage("look at", file, error))?;
        Ok(found.len().div_ceil(BYTES_PER_GB).max(1))
    }

    /// Where the last data of a disk ends, in bytes; all behind that is zero.
    pub(super) fn data_end(&self, id: &str) -> io::Result<u64> {
        let Some(path) = self.path(id) else { return Ok(0) };
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let (mut at, mut last) = (0, 0);
        while let Some((_, end)) = next_extent(&file, at, length)? {
            (at, last) = (end, end);
        }
        Ok(last)
    }

    /// How many bytes of a disk take room.
    pub(super) fn bytes_in_use(&self, id: &str) -> io::Result<u64> {
        let Some(path) = self.path(id) else { return Ok(0) };
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let (mut at, mut sum) = (0, 0);
        while let Some((start, end)) = next_extent(&file, at, length)? {
            sum += end - start;
            at = end;
        }
        Ok(sum)
    }

    /// Makes a disk larger, which does not count as writing to it.
    pub(super) fn grow(&self, id: &str, size_gb: u64) -> Result<(), Refusal> {
        let Some(path) = self.path(id) else { return Ok(()) };
        let grow = || -> io::Result<()> {
            let file = OpenOptions::new().write(true).open(&path)?;
            let before = file.metadata()?;
            let length = length_of(size_gb)?;
            if before.len() < length {
                file.set_len(length)?;
                file.set_times(FileTimes::new().set_modified(before.modified()?))?;
            }
            Ok(())
        };
        grow().map_err(|error| Refusal::storage("grow", &path, error))
    }

    /// Removes a disk; one that is gone already is fine.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        let Some(path) = self.path(id) else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// When somebody last wrote to a disk, in nanoseconds since 1970, if that was since it was sealed.
    pub(super) fn unsealed_since(&self, id: &str) -> Result<Option<i64>, Refusal> {
        let Some(path) = self.path(id) else { return Ok(None) };
        match fs::metadata(&path).and_then(|data| data.modified()) {
            Ok(modified) if modified == seal() => Ok(None),
            Ok(modified) => {
                let since = modified.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_nanos());
                Ok(Some(i64::try_from(since).unwrap_or(i64::MAX)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Refusal::storage("look at", &path, error)),
        }
    }

    /// Seals a disk again.
    pub(super) fn seal(&self, id: &str) -> io::Result<()> {
        let Some(path) = self.path(id) else { return Ok(()) };
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_times(FileTimes::new().set_modified(seal()))
    }

    /// Removes what a kill left half made, and moves every other file of no living disk into `lost`: somebody may have
    /// put an old truth back, or a backup here, and then it is the only copy of something.
    pub(super) fn sweep(&self, living: &BTreeSet<&str>) -> Result<(), Refusal> {
        let Some(dir) = &self.dir else { return Ok(()) };
        for path in files_in(dir)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.strip_suffix(".img").is_some_and(|id| living.contains(id)) {
                continue;
            }
            if name.ends_with(".img.tmp") {
                fs::remove_file(&path).map_err(|error| Refusal::storage("remove the leftover", &path, error))?;
            } else {
                put_by(dir, &path).map_err(|error| Refusal::storage("put by", &path, error))?;
            }
        }
        Ok(())
    }

    /// Whether there is no file at all.
    pub(super) fn is_empty(&self) -> Result<bool, Refusal> {
        self.dir.as_ref().map_or(Ok(true), |dir| Ok(files_in(dir)?.is_empty()))
    }

    /// Makes a disk file aside and moves it into its place when it is complete and, if it is to be durable, on the medium.
    fn build(&self, id: &str, size_gb: u64, durable: bool, fill: impl FnOnce(&File) -> io::Result<()>) -> Result<(), Refusal> {
        let Some(path) = self.path(id) else { return Ok(()) };
        let aside = path.with_extension("img.tmp");
        write_aside(&aside, size_gb, durable, fill)
            .and_then(|()| fs::rename(&aside, &path))
            .map_err(|error| Refusal::storage("write", &aside, error))
    }
}

/// The files of a directory; what is in subdirectories does not count.
fn files_in(dir: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                files.push(entry.path());
            }
        }
        Ok(files)
    };
    list().map_err(|error| Refusal::storage("list", dir, error))
}

/// Moves a file into `lost`, under a name that nothing there has.
fn put_by(dir: &Path, path: &Path) -> io::Result<()> {
    let lost = dir.join("lost");
    fs::create_dir_all(&lost)?;
    let name = path.file_name().unwrap_or_default();
    let mut target = lost.join(name);
    let mut number = 0;
    while target.symlink_metadata().is_ok() {
        number += 1;
        let mut numbered = name.to_os_string();
        numbered.push(format!(".{number}"));
        target = lost.join(numbered);
    }
    fs::rename(path, target)
}

fn write_aside(aside: &Path, size_gb: u64, durable: bool, fill: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let length = length_of(size_gb)?;
    let file = File::create(aside)?;
    fill(&file)?;
    file.set_len(length)?;
    file.set_times(FileTimes::new().set_modified(seal()))?;
    if durable && next_extent(&file, 0, length)?.is_some() {
        file.sync_data()?;
    }
    Ok(())
}

fn length_of(size_gb: u64) -> io::Result<u64> {
    size_gb.checked_mul(BYTES_PER_GB).ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))
}

/// The modification time of a file only we have touched: 2001-09-09T01:46:40Z.
fn seal() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// Lets both files share their extents, where the file system can.
#[cfg(target_os = "linux")]
fn share_extents(from: &File, to: &File) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn share_extents(_from: &File, _to: &File) -> bool {
    false
}

/// Copies what is data and not zero; the rest stays a hole.
fn copy_extents(from: &File, to: &File) -> io::Result<()> {
    let length = from.metadata()?.len();
    let mut buffer = vec![0_u8; CHUNK];
    let mut at = 0_u64;
    while let Some((start, end)) = next_extent(from, at, length)? {
        at = start;
        while at < end {
            let size = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            let chunk = &mut buffer[..size];
            from.read_exact_at(chunk, at)?;
            if chunk.iter().any(|byte| *byte != 0) {
                to.write_all_at(chunk, at)?;
            }
            at += size as u64;
        }
    }
    Ok(())
}

/// Where the next data at or after an offset begins and ends.
fn next_extent(file: &File, at: u64, length: u64) -> io::Result<Option<(u64, u64)>> {
    if at >= length {
        return Ok(None);
    }
    let start = match seek(file, SeekFrom::Data(at)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let end = seek(file, SeekFrom::Hole(start))?;
    Ok(Some((start, end.min(length))))
}
