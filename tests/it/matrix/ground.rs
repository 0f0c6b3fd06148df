//! The clouds that the matrix is played on.

use super::asked::Asked;
use crate::support::{
    linode::LINODE,
    scaleway::SCALEWAY,
    shop::{SPEED, pad, pad_like_linode},
    vendor::Vendor,
};

/// A cloud, and how to ask it for something.
#[derive(Debug)]
pub struct Ground {
    pub name: &'static str,
    /// Whose API is spoken; none on the local cloud, which is in the process itself.
    pub vendor: Option<&'static Vendor>,
    /// Where the truth and the disks are, in the shop.
    pub data: &'static str,
    /// The spec of a wish.
    spec: fn(state: &str) -> String,
    /// What to replace in it for larger disks and another type.
    larger: &'static [(&'static str, &'static str)],
}

impl Ground {
    pub fn spec(&self, state: &str, larger: bool) -> String {
        let replacements = if larger { self.larger } else { &[] };
        replacements.iter().fold((self.spec)(state), |spec, (from, to)| {
            assert!(spec.contains(from), "{from} in {spec}");
            spec.replace(from, to)
        })
    }

    /// Whether this can be asked here: the local cloud has no machines to configure.
    pub fn takes(&self, asked: &Asked) -> bool {
        !asked.configures || self.vendor.is_some()
    }
}

pub static SCALEWAY_FACE: Ground = Ground {
    name: "Scaleway",
    vendor: Some(&SCALEWAY),
    data: "vendor",
    // With a name: the record is parked and the address given back with each archive.
    spec: |state| (SCALEWAY.pad)(state, "  network:\n    dns: {zone: example.com, record: mypad}\n"),
    larger: &[("sizeGb: 30", "sizeGb: 40"), ("sizeGb: 100", "sizeGb: 120"), ("L4-1-24G", "L40S-1-48G")],
};

/// Without a data disk, nothing but the root disk says that there ever was a server.
pub static SCALEWAY_ROOT_ALONE: Ground = Ground {
    spec: |state| {
        (SCALEWAY.pad)(state, "").replace("  dataDisk:\n    sizeGb: 100\n", "").replace("  dataDiskSnapshot:\n    enable: true\n", "")
    },
    larger: &[],
    ..SCALEWAY_FACE
};

pub static LINODE_FACE: Ground = Ground {
    name: "Linode",
    vendor: Some(&LINODE),
    data: "vendor",
    spec: |state| (LINODE.pad)(state, ""),
    larger: &[("sizeGb: 30", "sizeGb: 40"), ("sizeGb: 100", "sizeGb: 120"), ("rtx4000a1-s", "rtx4000a1-m")],
};

pub static LOCAL: Ground =
    Ground { name: "local", vendor: None, data: "home/local/scaleway", spec: |state| at_once(&pad(state, "")), larger: LARGER_LOCAL };

pub static LOCAL_LIKE_LINODE: Ground = Ground {
    name: "local like Linode",
    vendor: None,
    data: "home/local/linode",
    spec: |state| at_once(&pad_like_linode(state)),
    larger: LARGER_LOCAL,
};

const LARGER_LOCAL: &[(&str, &str)] =
    &[("sizeGb: 30", "sizeGb: 40"), ("sizeGb: 100", "sizeGb: 120"), ("    local:\n", "    local:\n      instanceType: local-large\n")];

/// On the local cloud nothing is left to come due between two calls, so that the same calls come in the same order each time.
fn at_once(spec: &str) -> String {
    spec.replace(&format!("speed: {SPEED}"), "speed: 1000000")
}
