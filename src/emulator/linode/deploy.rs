//! Putting an image onto the disks of a Linode.

use super::configs::{self, Device};
use super::create::image_entity;
use super::details::{Disk, whole_gb};
use super::events::Entity;
use super::input::Fields;
use super::plans::Plan;
use super::problem::invalid;
use super::stock::{self, StockImage};
use super::{disks, kernels};
use crate::emulator::Truth;
use crate::emulator::face::Answer;
use crate::emulator::physics::Deed;

/// The smallest root disk that may be asked for, in MB.
const LEAST_ROOT_MB: u64 = 8192;
/// The size of a swap disk nobody asked for, in MB.
const USUAL_SWAP_MB: u64 = 512;

/// What is deployed.
pub enum Source {
    /// An image of the vendor's own.
    Stock(StockImage),
    /// An image of the account.
    Private {
        /// The number in its id.
        number: String,
        /// Its label.
        label: String,
        /// What it takes to deploy it, in MB.
        min_mb: u64,
        /// Whether the core has its bytes.
        has_file: bool,
        /// Whether its guest asks for user data.
        cloud_init: bool,
    },
}

impl Source {
    /// Its id.
    pub fn id(&self) -> String {
        match self {
            Source::Stock(image) => image.id(),
            Source::Private { number, .. } => format!("private/{number}"),
        }
    }

    /// Its label.
    pub fn label(&self) -> String {
        match self {
            Source::Stock(image) => image.label.to_owned(),
            Source::Private { label, .. } => label.clone(),
        }
    }

    /// What it takes to deploy it, in MB.
    pub fn min_mb(&self) -> u64 {
        match self {
            Source::Stock(image) => image.size,
            Source::Private { min_mb, .. } => *min_mb,
        }
    }

    /// How much of a disk it uses at first, in MB.
    fn used_mb(&self) -> u64 {
        match self {
            // What the vendor lists is a little more than what is on the disk.
            Source::Stock(image) => image.size * 988 / 1000,
            Source::Private { min_mb, .. } => *min_mb,
        }
    }

    /// Whether its guest asks for the user data it is given.
    pub fn takes_user_data(&self) -> bool {
        match self {
            Source::Stock(image) => image.takes_user_data(),
            Source::Private { cloud_init, .. } => *cloud_init,
        }
    }

    /// How events name it.
    pub fn entity(&self) -> Entity {
        image_entity(&self.id(), &self.label())
    }
}

/// The image of this id, if it can be deployed.
///
/// Errors: 400.
pub fn source(truth: &Truth, id: &str) -> Result<Source, Answer> {
    let wrong = || invalid("image", "image is not valid");
    let Some(number) = id.strip_prefix("private/") else {
        return stock::find(id).map(Source::Stock).ok_or_else(wrong);
    };
    let image = truth.linode.images.get(number).ok_or_else(wrong)?;
    if image.status != "available" {
        return Err(invalid("image", "image is not available"));
    }
    let has_file = truth.images.contains_key(number);
    let (label, min_mb, cloud_init) = (image.label.clone(), image.min_mb, image.cloud_init);
    Ok(Source::Private { number: number.to_owned(), label, min_mb, has_file, cloud_init })
}

/// The sizes of the root and the swap disk of a new Linode, in MB.
pub fn sizes(fields: &Fields, plan: &Plan, source: &Source) -> Result<(u64, u64), Answer> {
    let number = |key: &str| -> Result<Option<u64>, Answer> {
        let number = fields.number(key)?;
        number.map(|number| u64::try_from(number).map_err(|_| invalid(key, "Must be 0 or greater"))).transpose()
    };
    let swap = number("swap_size")?.unwrap_or(USUAL_SWAP_MB);
    let root = number("boot_size")?;
    if root.is_some_and(|root| root < LEAST_ROOT_MB) {
        return Err(invalid("boot_size", &format!("Must be {LEAST_ROOT_MB} or greater")));
    }
    let total = root.unwrap_or(0).checked_add(swap).filter(|total| *total <= plan.disk);
    if total.is_none() {
        let field = if root.is_some() { "boot_size" } else { "swap_size" };
        return Err(invalid(field, "Insufficient space for these disks on this plan"));
    }
    let root = root.unwrap_or(plan.disk - swap);
    if root < source.min_mb() {
        let field = if fields.get("boot_size").is_some() { "boot_size" } else { "image" };
        return Err(invalid(field, &format!("Requested disk size is too small for this image: it needs {} MB", source.min_mb())));
    }
    Ok((root, swap))
}

/// The kernel asked for.
pub fn kernel(fields: &Fields, usual: &str) -> Result<String, Answer> {
    match fields.text("kernel")? {
        None => Ok(usual.to_owned()),
        Some(kernel) if kernels::exists(kernel) => Ok(kernel.to_owned()),
        Some(_) => Err(invalid("kernel", "kernel is not valid")),
    }
}

/// Makes the disks and the profile of an image. They are ready when the job is done.
pub fn deploy(deed: &mut Deed, linode: &str, source: &Source, root_mb: u64, swap_mb: u64, kernel: &str) -> Result<(), Answer> {
    let name: String = format!("{} Disk", source.label()).chars().take(48).collect();
    let root = make_from(deed, linode, source, &name, root_mb)?;
    let mut devices = vec![("sda", Device::Disk(root))];
    if swap_mb > 0 {
        let swap = disks::make_empty(deed, linode, &format!("{swap_mb} MB Swap Image"), "swap", swap_mb)?;
        devices.push(("sdb", Device::Disk(swap)));
    }
    let profile: String = format!("My {} Disk Profile", source.label()).chars().take(48).collect();
    configs::add_usual(deed, linode, &profile, kernel, devices)?;
    disks::arrange(deed, linode);
    Ok(())
}

/// Makes a disk with the bytes of an image; gives its number.
pub fn make_from(deed: &mut Deed, linode: &str, source: &Source, name: &str, size_mb: u64) -> Result<u64, Answer> {
    let id = deed.mint("disk");
    let size_gb = whole_gb(size_mb);
    match source {
        Source::Private { number, has_file: true, .. } => deed.copy_disk(number, &id, size_gb.max(core_gb(deed, number)))?,
        _ => deed.make_disk(&id, size_gb, format!("linode image {}\n", source.id()).as_bytes())?,
    }
    let disk = Disk {
        linode: linode.to_owned(),
        label: name.to_owned(),
        filesystem: "ext4".to_owned(),
        size_mb,
        first_mb: None,
        ready: false,
        deleting: false,
        used_mb: source.used_mb(),
        hidden_from: None,
        created: deed.now,
        updated: deed.now,
    };
    disks::add(deed, linode, &id, disk);
    Ok(id.parse().unwrap_or_default())
}

/// The size of the file of an image in GB: as far as there are bytes in it, none is cut off.
fn core_gb(deed: &Deed, number: &str) -> u64 {
    let bytes = deed.disks.data_end(number).unwrap_or(0);
    bytes.div_ceil(1_000_000_000)
}
