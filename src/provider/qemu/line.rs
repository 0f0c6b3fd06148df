//! QEMU, and its command line.

use crate::provider::{Problem, local::Frame};
use serde_json::{Value, json};
use std::{
    env,
    ffi::OsString,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
};

/// The program.
const QEMU: &str = "qemu-system-x86_64";

/// A program of QEMU's, where it is installed.
pub(super) fn find(program: &str, package: &str) -> Result<PathBuf, Problem> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|it| it.join(program)).find(|it| it.is_file());
    found.ok_or_else(|| Problem::Refused {
        answer: format!("machine: qemu needs {program}, which is not installed"),
        remedy: Some(format!("install QEMU (Debian and Ubuntu: {package})")),
    })
}

/// What runs machines.
pub(super) fn find_qemu() -> Result<PathBuf, Problem> {
    find(QEMU, "qemu-system-x86")
}

/// What a machine is started with.
pub(super) struct Line<'a> {
    /// The program.
    pub qemu: &'a Path,
    /// What it consists of.
    pub frame: &'a Frame,
}

impl Line<'_> {
    /// The arguments of a machine whose files are in `dir`. It goes on by itself once it has its disks and its port, and
    /// its guest waits to be let loose.
    pub(super) fn arguments(&self, dir: &Path, port: u16) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        let mut say = |option: &str, value: String| words.extend([OsString::from(option), OsString::from(value)]);
        let processors = std::thread::available_parallelism().map_or(1, |it| u32::try_from(it.get()).unwrap_or(u32::MAX));
        say("-name", format!("cloudypad-{}", self.frame.name));
        say("-machine", "q35".to_owned());
        let (accelerator, processor) = if has_kvm() { ("kvm", "host") } else { ("tcg,thread=multi", "max") };
        say("-accel", accelerator.to_owned());
        say("-cpu", processor.to_owned());
        say("-smp", self.frame.vcpus.min(processors).to_string());
        say("-m", format!("{}M", u64::from(self.frame.memory_gb) * 1000));
        say("-display", "none".to_owned());
        // Sockets and files are named from the directory that it starts in: their paths may be too long otherwise.
        say("-pidfile", "pid".to_owned());
        say("-qmp", "unix:monitor,server=on,wait=off".to_owned());
        say("-serial", "file:console.log".to_owned());
        say("-D", "qemu.log".to_owned());
        for (place, disk) in self.frame.disks.iter().enumerate() {
            let file = json!({"driver": "file", "filename": disk.file, "discard": "unmap"});
            let node = format!("disk{place}");
            say("-blockdev", json!({"driver": "raw", "node-name": node, "discard": "unmap", "file": file}).to_string());
            let device = json!({"driver": "virtio-blk-pci", "drive": node, "serial": disk.id, "bootindex": place});
            say("-device", device.to_string());
        }
        let seed = dir.join("seed");
        if seed.is_dir() {
            let drive = json!({"driver": "vvfat", "node-name": "seed", "dir": seed, "label": "CIDATA", "read-only": true});
            say("-blockdev", drive.to_string());
            say("-device", json!({"driver": "virtio-blk-pci", "drive": "seed", "serial": "seed"}).to_string());
        }
        say("-netdev", format!("user,id=net,hostfwd=tcp:{}:{port}-:22", super::machine::ADDRESS));
        // It boots from its disk, never from the network.
        let card: Value = json!({"driver": "virtio-net-pci", "netdev": "net", "romfile": ""});
        say("-device", card.to_string());
        say("-device", "virtio-rng-pci".to_owned());
        words.extend(["-nodefaults", "-no-user-config", "-S", "-daemonize"].map(OsString::from));
        words
    }
}

/// Whether this machine's processor runs guests by itself. Where it does so only for kernels that were changed for it
/// (as within some clouds' machines), `/dev/kvm` is there and no ordinary guest boots: the processor's flags tell.
fn has_kvm() -> bool {
    let able = fs::read_to_string("/proc/cpuinfo").is_ok_and(|it| runs_guests(&it));
    able && OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok()
}

fn runs_guests(cpuinfo: &str) -> bool {
    let flags = cpuinfo.lines().find_map(|it| it.strip_prefix("flags")).unwrap_or_default();
    flags.split_whitespace().any(|it| it == "vmx" || it == "svm")
}

#[cfg(test)]
mod tests {
    use super::runs_guests;

    #[test]
    fn a_processor_that_runs_ordinary_guests_says_so() {
        assert!(runs_guests("processor\t: 0\nflags\t\t: fpu vmx sse\n"));
        assert!(runs_guests("flags\t\t: fpu svm\n"));
        assert!(!runs_guests("flags\t\t: fpu sse hypervisor\n"));
        assert!(!runs_guests("Features\t: fp asimd\n"));
    }
}
