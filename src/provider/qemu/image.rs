//! The owner's image: a disk's file, raw or qcow2, of which each first root disk is a copy.

use super::line::find;
use crate::provider::Problem;
use std::{
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// What a qcow2 file begins with.
const QCOW: &[u8] = b"QFI\xfb";

/// The owner's image, and where its bytes are as a disk has them.
pub(super) struct Image {
    file: PathBuf,
    raw: PathBuf,
}

impl Image {
    /// The image in a file. What has to be made of it is kept in the cloud's directory.
    pub(super) fn new(file: PathBuf, cloud: &Path) -> Self {
        let raw = match is_qcow(&file) {
            Ok(true) => cloud.join("images").join(format!("{}.raw", edition(&file))),
            // A file that cannot be read is told of when it is needed.
            Ok(false) | Err(_) => file.clone(),
        };
        Self { file, raw }
    }

    /// The file that a disk can be copied from, once it was prepared.
    pub(super) fn raw(&self) -> PathBuf {
        self.raw.clone()
    }

    /// Makes that file, where it is not there yet.
    pub(super) async fn prepare(&self) -> Result<(), Problem> {
        let refused = |why: String, remedy: &str| Problem::Refused { answer: why, remedy: Some(remedy.to_owned()) };
        let found = fs::metadata(&self.file);
        if let Err(error) = found {
            return Err(refused(format!("cannot read the image {}: {error}", self.file.display()), "check provider.local.image"));
        }
        if self.raw == self.file || self.raw.exists() {
            return Ok(());
        }
        let failed = |error: io::Error| refused(format!("cannot convert {}: {error}", self.file.display()), "make room there");
        let program = find("qemu-img", "qemu-utils")?;
        let dir = self.raw.parent().unwrap_or(&self.raw);
        fs::create_dir_all(dir).map_err(failed)?;
        // Others may be at it; whoever is done last puts the same bytes there.
        let aside = self.raw.with_extension(format!("{}.tmp", std::process::id()));
        let mut convert = Command::new(program);
        convert.args(["convert", "-f", "qcow2", "-O", "raw"]).arg(&self.file).arg(&aside).stdin(Stdio::null()).kill_on_drop(true);
        let out = convert.output().await.map_err(failed)?;
        if !out.status.success() {
            let _ = fs::remove_file(&aside);
            let said = String::from_utf8_lossy(&out.stderr);
            return Err(refused(format!("cannot convert {}: {}", self.file.display(), said.trim()), "check provider.local.image"));
        }
        fs::rename(&aside, &self.raw).map_err(failed)
    }
}

fn is_qcow(file: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    fs::File::open(file)?.take(QCOW.len() as u64).read_to_end(&mut head)?;
    Ok(head == QCOW)
}

/// What tells one edition of a file from another.
fn edition(file: &Path) -> String {
    match fs::metadata(file) {
        Ok(it) => format!("{:x}-{:x}-{:x}-{:x}", it.ino(), it.len(), it.mtime(), it.mtime_nsec()),
        Err(_) => "unknown".to_owned(),
    }
}
