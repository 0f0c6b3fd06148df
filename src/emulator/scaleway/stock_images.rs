//! The images that the cloud itself offers: one per label, zone, kind of root disk and processor.
//!
//! Their ids are our own, made from what they are, so that they are the same in every cloud and every run.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::catalogue::{ZONES, server_types};
use super::ids::uuid_of;
use super::types::{ARM, GB, ServerType, X86};

/// The vendor's own organisation, and project, which owns all its images.
pub const OWNER: &str = "51b656e3-4865-41e8-adbc-0c45bdd780db";

/// When the images were made, in the format of instance objects.
pub const MADE: &str = "2025-11-18T09:12:41.420846+00:00";

/// The kind of an image, as the marketplace calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Its root becomes a local (`l_ssd`) volume.
    Local,
    /// Its root becomes a block volume.
    Sbs,
}

impl Kind {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Local => "instance_local",
            Kind::Sbs => "instance_sbs",
        }
    }

    /// The kind a word means.
    pub fn of(word: &str) -> Option<Kind> {
        [Kind::Local, Kind::Sbs].into_iter().find(|kind| kind.word() == word)
    }
}

/// Which server types an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    Everyone,
    Cards,
    Windows,
}

/// A label of the marketplace.
#[derive(Clone, Copy, Debug)]
struct Title {
    label: &'static str,
    name: &'static str,
    root_gb: u64,
    audience: Audience,
}

const fn title(label: &'static str, name: &'static str, root_gb: u64, audience: Audience) -> Title {
    Title { label, name, root_gb, audience }
}

/// The labels.
const TITLES: [Title; 23] = [
    title("ubuntu_focal", "Ubuntu 20.04 Focal Fossa", 10, Audience::Everyone),
    title("ubuntu_jammy", "Ubuntu 22.04 Jammy Jellyfish", 10, Audience::Everyone),
    title("ubuntu_noble", "Ubuntu 24.04 Noble Numbat", 10, Audience::Everyone),
    title("ubuntu_resolute", "Ubuntu 26.04 Resolute Raccoon", 10, Audience::Everyone),
    title("debian_bullseye", "Debian Bullseye", 10, Audience::Everyone),
    title("debian_bookworm", "Debian Bookworm", 10, Audience::Everyone),
    title("debian_trixie", "Debian Trixie", 10, Audience::Everyone),
    title("rockylinux_8", "Rocky Linux 8", 10, Audience::Everyone),
    title("rockylinux_9", "Rocky Linux 9", 10, Audience::Everyone),
    title("almalinux_8", "AlmaLinux 8", 10, Audience::Everyone),
    title("almalinux_9", "AlmaLinux 9", 10, Audience::Everyone),
    title("centos_stream_9", "CentOS Stream 9", 10, Audience::Everyone),
    title("fedora_42", "Fedora 42", 10, Audience::Everyone),
    title("arch_linux", "Arch Linux", 10, Audience::Everyone),
    title("docker", "Docker", 10, Audience::Everyone),
    title("openvpn", "OpenVPN", 10, Audience::Everyone),
    title("wordpress", "WordPress", 10, Audience::Everyone),
    title("ubuntu_focal_gpu_os_12", "Ubuntu Focal GPU OS 12", 20, Audience::Cards),
    title("ubuntu_jammy_gpu_os_12", "Ubuntu Jammy GPU OS 12", 20, Audience::Cards),
    title("ubuntu_noble_gpu_os_13", "Ubuntu Noble GPU OS 13", 20, Audience::Cards),
    title("ubuntu_noble_gpu_os_13_nvidia", "Ubuntu Noble GPU OS 13 (NVIDIA)", 20, Audience::Cards),
    title("ubuntu_noble_gpu_os_13_passthrough", "Ubuntu Noble GPU OS 13 passthrough", 20, Audience::Cards),
    title("windows_server_2022", "Windows Server 2022", 25, Audience::Windows),
];

/// An image of one zone.
#[derive(Clone, Debug, PartialEq)]
pub struct StockImage {
    /// Its id, of the instance API and of the marketplace alike.
    pub id: String,
    /// Its label in the marketplace.
    pub label: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Its zone.
    pub zone: &'static str,
    /// What its root becomes.
    pub kind: Kind,
    /// The processor it is for.
    pub arch: &'static str,
    /// Size of its root, in bytes; the API shows it for local images only.
    pub root_size: u64,
    /// The snapshot its root is made from; a block snapshot of [`OWNER`] if it is for block volumes.
    pub root_id: String,
    audience: Audience,
}

impl StockImage {
    fn new(title: &Title, zone: &'static str, kind: Kind, arch: &'static str) -> StockImage {
        let words = [title.label, zone, kind.word(), arch];
        let [label, place, kind_word, processor] = words;
        StockImage {
            id: uuid_of(0, &["image", label, place, kind_word, processor]),
            root_id: uuid_of(0, &["image root", label, place, kind_word, processor]),
            label: title.label,
            name: title.name,
            zone,
            kind,
            arch,
            root_size: title.root_gb * GB,
            audience: title.audience,
        }
    }

    /// Whether it is meant for a type.
    pub fn fits(&self, row: &ServerType) -> bool {
        let audience = match self.audience {
            Audience::Everyone => row.gpu.is_none() && !row.windows,
            Audience::Cards => row.gpu.is_some(),
            Audience::Windows => row.windows,
        };
        audience && row.arch == self.arch && (self.kind == Kind::Sbs || row.takes_local())
    }

    /// The names of the types of its zone that it is meant for.
    pub fn compatible_types(&self) -> Vec<&'static str> {
        server_types(self.zone).filter(|row| self.fits(row)).map(|row| row.name).collect()
    }

    /// The kind of its root's volume, as the instance API writes it.
    pub fn root_volume_type(&self) -> &'static str {
        match self.kind {
            Kind::Local => "l_ssd",
            Kind::Sbs => "sbs_snapshot",
        }
    }

    /// The image object of the instance API, bare.
    pub fn instance_image(&self) -> Value {
        // Of a root on block storage, the instance API knows neither name nor size.
        let (name, size) = match self.kind {
            Kind::Local => (self.name, self.root_size),
            Kind::Sbs => ("", 0),
        };
        json!({
            "id": self.id,
            "name": self.name,
            "organization": OWNER,
            "project": OWNER,
            "root_volume": {"volume_type": self.root_volume_type(), "id": self.root_id, "size": size, "name": name},
            "extra_volumes": {},
            "public": true,
            "arch": self.arch,
            "creation_date": MADE,
            "modification_date": MADE,
            "default_bootscript": null,
            "from_server": "",
            "state": "available",
            "tags": [],
            "zone": self.zone,
        })
    }

    /// The object of the marketplace, bare.
    pub fn local_image(&self) -> Value {
        json!({
            "id": self.id,
            "arch": self.arch,
            "zone": self.zone,
            "compatible_commercial_types": self.compatible_types(),
            "label": self.label,
            "type": self.kind.word(),
        })
    }
}

/// All images: by kind, then by id, as the marketplace orders them.
static ALL: LazyLock<Vec<StockImage>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for title in &TITLES {
        for zone in ZONES {
            for (kind, arch) in [(Kind::Local, X86), (Kind::Sbs, X86), (Kind::Sbs, ARM)] {
                let image = StockImage::new(title, zone, kind, arch);
                if server_types(zone).any(|row| image.fits(row)) {
                    all.push(image);
                }
            }
        }
    }
    all.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    all
});

/// All images of all zones: by kind, then by id.
pub fn all() -> &'static [StockImage] {
    &ALL
}

/// The images of a zone: by kind, then by id.
pub fn images(zone: &str) -> impl Iterator<Item = &'static StockImage> + '_ {
    all().iter().filter(move |image| image.zone == zone)
}

/// The images of a label in a zone and of a kind; one per processor.
pub fn labelled(label: &str, zone: &str, kind: Kind) -> impl Iterator<Item = &'static StockImage> {
    all().iter().filter(move |image| image.label == label && image.zone == zone && image.kind == kind)
}

/// The image with an id, in whatever zone.
pub fn image(id: &str) -> Option<&'static StockImage> {
    all().iter().find(|image| image.id == id)
}

/// The image whose root is made from a snapshot of this id. To anybody but the vendor that snapshot is forbidden.
pub fn image_of_root(snapshot: &str) -> Option<&'static StockImage> {
    all().iter().find(|image| image.root_id == snapshot)
}

/// The labels, each with its name for people.
pub fn titles() -> impl Iterator<Item = (&'static str, &'static str)> {
    TITLES.iter().map(|title| (title.label, title.name))
}

/// Whether a label is known, be it sold in a zone or not.
pub fn is_label(label: &str) -> bool {
    TITLES.iter().any(|title| title.label == label)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::emulator::scaleway::ids::is_uuid;

    #[test]
    fn ids_are_distinct_and_lead_back() {
        let ids: BTreeSet<&str> = all().iter().flat_map(|image| [image.id.as_str(), image.root_id.as_str()]).collect();
        assert_eq!(ids.len(), 2 * all().len());
        assert!(ids.iter().all(|id| is_uuid(id)));
        for it in all() {
            assert_eq!(image(&it.id), Some(it));
            assert_eq!(image_of_root(&it.root_id), Some(it));
        }
    }

    #[test]
    fn a_plain_image_is_for_plain_types_of_its_processor() {
        let types = |arch: &str| {
            let found = labelled("ubuntu_jammy", "fr-par-1", Kind::Sbs).find(|image| image.arch == arch).unwrap();
            found.compatible_types()
        };
        assert!(types(X86).contains(&"DEV1-S") && types(X86).contains(&"POP2-2C-8G"));
        assert!(types(ARM).contains(&"BASIC2-A2C-4G") && !types(ARM).contains(&"DEV1-S"));
        for absent in ["L4-1-24G", "RENDER-S", "POP2-2C-8G-WIN", "BASIC2-A2C-4G"] {
            assert!(!types(X86).contains(&absent), "{absent}");
        }
    }

    #[test]
    fn a_local_image_is_for_types_with_local_disks() {
        let local: Vec<_> = labelled("ubuntu_jammy", "fr-par-1", Kind::Local).collect();
        assert_eq!(local.len(), 1);
        assert!(local[0].compatible_types().contains(&"GP1-XS"));
        assert!(!local[0].compatible_types().contains(&"POP2-2C-8G"));
        assert_eq!(local[0].instance_image()["root_volume"]["size"], 10 * GB);
    }

    #[test]
    fn images_for_cards_are_where_cards_are() {
        let compatible = |zone| labelled("ubuntu_jammy_gpu_os_12", zone, Kind::Sbs).next().map(StockImage::compatible_types);
        assert!(compatible("fr-par-2").unwrap().contains(&"L4-1-24G"));
        assert!(!compatible("fr-par-2").unwrap().contains(&"DEV1-S"));
        assert_eq!(compatible("fr-par-3"), None);
        assert!(is_label("ubuntu_jammy_gpu_os_12") && !is_label("foo-bar"));
    }
}
