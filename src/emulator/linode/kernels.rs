//! The kernels that the vendor itself boots a Linode with, and its boot loaders.
//!
//! There are as many as the vendor has; a kernel is its version and the number of its build, once for each of two
//! architectures. Where only the series of a build is known, its patch level is reckoned from its number.

use serde_json::{Value, json};

/// A kernel or boot loader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its id in requests, with `linode/`.
    pub id: String,
    label: String,
    version: String,
    architecture: &'static str,
    kvm: bool,
    pvops: bool,
    deprecated: bool,
    /// The day on which it was built.
    built: String,
}

/// Id, label, version, architecture, whether it is for today's machines, whether it is on its way out, day.
type Fixed = (&'static str, &'static str, &'static str, &'static str, bool, bool, &'static str);

/// What is no numbered kernel.
const FIXED: [Fixed; 7] = [
    ("latest-64bit", "Latest 64 bit (6.14.3-x86_64-linode168)", "6.14.3", "x86_64", true, false, "2025-05-07"),
    ("latest-32bit", "Latest 32 bit (6.2.9-x86-linode160)", "6.2.9", "i386", true, false, "2023-04-05"),
    ("grub2", "GRUB 2", "2.06", "x86_64", true, false, "2022-04-14"),
    ("direct-disk", "Direct Disk", "", "x86_64", true, false, "2014-08-20"),
    ("grub-legacy", "GRUB (Legacy)", "2.0.0", "x86_64", true, false, "2014-08-20"),
    ("pv-grub-x86_64", "pv-grub-x86_64", "2.6.26", "x86_64", false, true, "2008-10-16"),
    ("pv-grub-x86_32", "pv-grub-x86_32", "2.6.26", "i386", false, true, "2008-10-16"),
];

/// Series of 64-bit kernels, the latest first: version without its patch level, first and last build, year.
const SERIES: [(&str, u32, u32, u32); 44] = [
    ("6.14", 168, 168, 2025),
    ("6.12", 167, 167, 2024),
    ("6.9", 166, 166, 2024),
    ("6.8", 165, 165, 2024),
    ("6.7", 164, 164, 2024),
    ("6.5", 163, 163, 2023),
    ("6.4", 162, 162, 2023),
    ("6.3", 161, 161, 2023),
    ("6.2", 160, 160, 2023),
    ("6.1", 159, 159, 2023),
    ("6.0", 157, 158, 2022),
    ("5.19", 156, 156, 2022),
    ("5.18", 155, 155, 2022),
    ("5.17", 154, 154, 2022),
    ("5.16", 153, 153, 2022),
    ("5.15", 152, 152, 2022),
    ("5.14", 147, 151, 2021),
    ("5.13", 146, 146, 2021),
    ("5.12", 144, 145, 2021),
    ("5.11", 142, 143, 2021),
    ("5.10", 140, 141, 2021),
    ("5.9", 138, 139, 2020),
    ("5.8", 136, 137, 2020),
    ("5.6", 133, 135, 2020),
    ("5.4", 132, 132, 2020),
    ("5.3", 129, 131, 2019),
    ("5.2", 128, 128, 2019),
    ("5.1", 124, 127, 2019),
    ("5.0", 121, 123, 2019),
    ("4.20", 120, 120, 2019),
    ("4.19", 118, 119, 2018),
    ("4.18", 116, 117, 2018),
    ("4.17", 109, 115, 2018),
    ("4.16", 105, 108, 2018),
    ("4.15", 98, 104, 2018),
    ("4.14", 91, 97, 2018),
    ("4.9", 79, 90, 2017),
    ("4.8", 74, 78, 2016),
    ("4.5", 69, 73, 2016),
    ("4.4", 64, 68, 2016),
    ("4.1", 55, 63, 2015),
    ("3.19", 51, 54, 2015),
    ("3.15", 41, 50, 2014),
    ("3.9", 30, 40, 2013),
];

/// Builds whose patch level is known.
const KNOWN: [(u32, u32); 20] = [
    (168, 3),
    (161, 5),
    (160, 9),
    (159, 10),
    (158, 10),
    (157, 2),
    (156, 2),
    (154, 5),
    (150, 17),
    (148, 14),
    (147, 2),
    (146, 4),
    (145, 13),
    (143, 13),
    (142, 9),
    (139, 6),
    (132, 10),
    (131, 11),
    (119, 8),
    (102, 7),
];

/// The last build for 32 bits.
const LAST_32_BIT: u32 = 160;
/// The first build that boots on today's machines.
const FIRST_KVM: u32 = 56;
/// The first build of all, which are older than the series above.
const FIRST: u32 = 7;

/// All of them, in the order of the list.
pub fn all() -> Vec<Kernel> {
    let fixed = FIXED.iter().map(|(id, label, version, architecture, kvm, deprecated, built)| Kernel {
        id: format!("linode/{id}"),
        label: (*label).to_owned(),
        version: (*version).to_owned(),
        architecture,
        kvm: *kvm,
        pvops: version.starts_with(['5', '6']),
        deprecated: *deprecated,
        built: (*built).to_owned(),
    });
    let numbered = |architecture: &'static str, last: u32| (FIRST..=last).rev().map(move |build| kernel(build, architecture));
    let newest = SERIES[0].2;
    fixed.chain(numbered("x86_64", newest)).chain(numbered("i386", LAST_32_BIT)).chain(ancient()).collect()
}

/// Whether there is a kernel of this id.
pub fn exists(id: &str) -> bool {
    find(id).is_some()
}

/// The kernel of an id such as `linode/grub2`.
pub fn find(id: &str) -> Option<Kernel> {
    all().into_iter().find(|kernel| kernel.id == id)
}

fn kernel(build: u32, architecture: &'static str) -> Kernel {
    let series = SERIES.iter().find(|(_, first, last, _)| (*first..=*last).contains(&build));
    let (series, first, year) = series.map_or(("2.6", FIRST, 2010), |(series, first, _, year)| (*series, *first, *year));
    let known = KNOWN.iter().find(|(known, _)| *known == build);
    let patch = known.map_or((build - first) * 2 + 1, |(_, patch)| *patch);
    let version = if series == "2.6" { format!("2.6.{}", build + 18) } else { format!("{series}.{patch}") };
    let name = if architecture == "i386" { "x86" } else { architecture };
    let label = format!("{version}-{name}-linode{build}");
    Kernel {
        id: format!("linode/{label}"),
        label,
        version,
        architecture,
        kvm: build >= FIRST_KVM,
        pvops: true,
        deprecated: build < FIRST_KVM,
        built: format!("{year}-{:02}-{:02}", build % 12 + 1, build % 28 + 1),
    }
}

/// The oldest, for 32 bits and machines that are no more.
fn ancient() -> impl Iterator<Item = Kernel> {
    [("2.6.18.8", 22), ("2.6.39.1", 34), ("3.0.4", 36), ("3.1.0", 37), ("3.2.1", 38), ("3.4.2", 44), ("3.5.2", 45)].into_iter().map(
        |(version, build)| Kernel {
            id: format!("linode/{version}-linode{build}"),
            label: format!("{version}-linode{build}"),
            version: version.to_owned(),
            architecture: "i386",
            kvm: false,
            pvops: true,
            deprecated: true,
            built: format!("2011-{:02}-01", build % 12 + 1),
        },
    )
}

impl Kernel {
    /// As the API shows it.
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "version": self.version,
            "kvm": self.kvm,
            "architecture": self.architecture,
            "pvops": self.pvops,
            "deprecated": self.deprecated,
            "built": format!("{}T14:46:43", self.built),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_as_many_as_the_vendor_has() {
        let ids: BTreeSet<String> = all().into_iter().map(|kernel| kernel.id).collect();
        assert_eq!((all().len(), ids.len()), (330, 330));
        assert!(["grub2", "latest-64bit", "direct-disk"].into_iter().all(|id| exists(&format!("linode/{id}"))));
        assert!(!exists("linode/none") && !exists("grub2"));
    }

    #[test]
    fn a_numbered_kernel_says_what_it_is() {
        let shown = find("linode/5.17.5-x86_64-linode154").unwrap().shown();
        assert_eq!((&shown["version"], &shown["kvm"], &shown["architecture"]), (&json!("5.17.5"), &json!(true), &json!("x86_64")));
        assert_eq!((&shown["pvops"], &shown["deprecated"]), (&json!(true), &json!(false)));
    }
}
