//! The two vendors: their clouds, their specs, and the real hands at the end of a wire of ours.

use crate::{
    console::{self, Stranger},
    pads, sky,
};
use cloudypad::{
    emulator::{Clock, Cloud, Imitate, Market, Settings, face::Face},
    model::{Ask, Capabilities, Instance, ServerState, Spec},
    provider::{
        FirstBoot, Provider, Seed,
        http::{Secret, Wire},
        linode::{self, Estate, Linode},
        scaleway::{self, Scaleway, Zone},
    },
    read,
};
use std::{path::Path, sync::Arc};

/// The tag of everything that belongs to the instance.
pub const TAG: &str = "in:default.mypad";
/// Where the instance lives at Scaleway.
pub const SCALEWAY_ZONE: &str = "fr-par-2";

/// A vendor, as the campaign plays it.
pub struct Vendor {
    pub name: &'static str,
    pub sky: &'static sky::Sky,
    pub strangers: &'static [Stranger],
    /// The reference spec of a wish.
    pad: fn(state: &str, more: &str) -> String,
    /// A path without API version, place and ids.
    pub plain: fn(&str) -> String,
    market: Market,
    imitate: Imitate,
    /// The real hands for a wish.
    pub hands: fn(Arc<dyn Wire>, &Ask) -> Box<dyn Provider>,
    pub capabilities: fn() -> Capabilities,
    /// The types that a machine may be of.
    pub types: [&'static str; 2],
}

pub static SCALEWAY: Vendor = Vendor {
    name: "scaleway",
    sky: &sky::SCALEWAY,
    strangers: console::SCALEWAY,
    pad: pads::scaleway::pad,
    plain: pads::scaleway::SCALEWAY.plain,
    market: Market::Scaleway,
    imitate: Imitate::Volumes,
    hands: |wire, ask| {
        let account = scaleway::Account {
            key: Secret::new(pads::scaleway::SECRET),
            found: "the campaign".to_owned(),
            url: "https://api.scaleway.test".to_owned(),
            project: None,
            zone: None,
        };
        let zone = Zone::over(wire, account, SCALEWAY_ZONE, std::slice::from_ref(&ask.key), None, 1.0).unwrap();
        Box::new(Scaleway::new(Arc::new(zone), pads::scaleway::PROJECT, ask, seed(), 1.0))
    },
    capabilities: Capabilities::scaleway,
    types: ["L4-1-24G", "L4-2-24G"],
};

pub static LINODE: Vendor = Vendor {
    name: "linode",
    sky: &sky::LINODE,
    strangers: console::LINODE,
    pad: pads::linode::pad,
    plain: pads::linode::LINODE.plain,
    market: Market::Linode,
    imitate: Imitate::LocalDisks,
    hands: |wire, ask| {
        let account = linode::Account {
            token: Secret::new(pads::linode::TOKEN),
            found: "the campaign".to_owned(),
            url: "https://api.linode.test".to_owned(),
            version: "v4".to_owned(),
        };
        let names: Vec<_> = ask.spec.network.dns.clone().into_iter().collect();
        let estate = Estate::over(wire, account, std::slice::from_ref(&ask.key), &names, 1.0).unwrap();
        Box::new(Linode::new(Arc::new(estate), ask, seed(), 1.0))
    },
    capabilities: Capabilities::linode,
    types: ["g2-gpu-rtx4000a1-s", "g2-gpu-rtx4000a1-m"],
};

/// Both.
pub static VENDORS: [&Vendor; 2] = [&SCALEWAY, &LINODE];

/// What the guest is given for its first boot: always the same.
fn seed() -> Seed {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOqXT5TQhGxO1u0xJ3yCNnQhX3NQmGmRfYdQw4b2vZxT";
    Box::new(|| Ok(FirstBoot { document: Secret::new("#cloud-config\n"), authorized: Some(KEY.to_owned()), fingerprint: "0".repeat(40) }))
}

impl Vendor {
    /// The face of a new, empty cloud, whose clock goes by the simulation alone.
    pub fn face(&self, seed: u64) -> Face {
        let settings = Settings { imitate: self.imitate, clock: Clock::Manual };
        Face::new(Cloud::in_memory(settings, self.market, seed).unwrap(), None).unwrap()
    }

    /// What the owner has in the account beforehand: the DNS zone example.com.
    pub fn prepare(&self, place: &crate::place::Place) {
        if self.name == "linode" {
            let body = serde_json::json!({"domain": "example.com", "type": "master", "soa_email": "owner@example.com"});
            place.call("POST", &["v4", "domains"], &body);
        }
    }

    /// The reference spec, read as the owner's file is.
    pub fn file(&self) -> Instance {
        let mut reading = read::read_text(Path::new("pad.yaml"), &(self.pad)("present", ""));
        assert!(reading.problems.is_empty(), "{:?}", reading.problems);
        reading.specs.remove(0).instance
    }

    /// How many servers and how many volumes a spec comes to, once it is fulfilled.
    pub fn stands(&self, spec: &Spec) -> (usize, usize) {
        let absent = spec.server_state == ServerState::Absent;
        let data = usize::from(spec.data_gb().is_some());
        let volumes = match (self.imitate, absent) {
            // The root disk is the server's own.
            (Imitate::LocalDisks, _) => data,
            (Imitate::Volumes, false) => 1 + data,
            (Imitate::Volumes, true) => {
                usize::from(!spec.root_disk_snapshot.enable) + if spec.data_disk_snapshot.enable { 0 } else { data }
            }
        };
        (usize::from(!absent), volumes)
    }
}
