//! What any vendor's hands must stand. The machinery is here; what differs from vendor to vendor is data, in its own tests.
//!
//! - `lifecycle`: what the reference lifecycle costs, and that every byte comes back;
//! - `weather`: seeded lifecycles with faults;
//! - `crowds`: killed at any instant;
//! - `hasty`: hands with one of their waits taken out.

pub mod crowds;
pub mod hasty;
pub mod lifecycle;
pub mod weather;

use crate::support::{
    face::Face,
    shop::{Ran, Shop},
    vendor::Vendor,
};

/// A vendor, and what its cloud holds of the reference spec.
pub struct Trial {
    pub vendor: &'static Vendor,
    /// How many servers and how many disks of any kind a wish comes to, once it is fulfilled.
    pub stands: fn(state: &str) -> (usize, usize),
}

impl Trial {
    /// The reference spec of a wish.
    fn write(&self, shop: &Shop, state: &str, more: &str) {
        shop.write("pad.yaml", &(self.vendor.pad)(state, more));
    }

    /// A wish that is fulfilled: nothing is left to do, nothing lost or leaked, and there is as much as there must be.
    fn settled(&self, shop: &Shop, face: &Face, state: &str, what: &str) -> Ran {
        face.log();
        let ran = face.expect(shop, 0, &["apply", "pad.yaml", "--yes"]);
        assert_eq!(face.changes(), [""; 0], "{what}: {state} twice");
        assert_eq!(face.judge(&["in:default.mypad"]), (Vec::new(), Vec::new()), "{what}: {state}");
        let inventory = face.inventory();
        let count = |kind: &str| inventory.iter().filter(|it| it.starts_with(kind)).count();
        assert_eq!((count("server "), count("volume ")), (self.stands)(state), "{what}: {state}: {inventory:#?}");
        let firewalls = inventory.iter().filter(|it| it.starts_with("firewall ") && it.contains(" mypad")).count();
        assert!(count("address ") <= 1 && firewalls <= 1, "{what}: {state}: {inventory:#?}");
        ran
    }
}
