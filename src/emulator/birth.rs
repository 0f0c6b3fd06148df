//! How a server is born.

use std::path::PathBuf;

use super::catalogue;
use super::disk::Disks;
use super::objects::{Root, Server, ServerState, Volume, VolumeState};
use super::physics::Deed;
use super::refusal::Refusal;
use super::servers::check_same_zone;
use super::{Cloud, Imitate};

/// What a new server is born from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Boot {
    /// A stock image, by label.
    Image(String),
    /// An existing volume, by id.
    Volume(String),
    /// A private image, by id.
    Capture(String),
    /// A file with the bytes of a disk, which is an image of the customer's own.
    File(PathBuf),
}

/// A server to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewServer {
    /// Where.
    pub zone: String,
    /// Its name; where disks are local it must be unique.
    pub name: String,
    /// Its server type, by name.
    pub kind: String,
    /// What it is born from.
    pub boot: Boot,
    /// Size of the root disk in GB; the size of what it is born from if missing.
    pub root_gb: Option<u64>,
    /// Ids of further volumes to attach.
    pub volumes: Vec<String>,
    /// Id of its reserved address.
    pub address: Option<String>,
    /// Id of its firewall.
    pub firewall: Option<String>,
    /// The customer's tags.
    pub tags: Vec<String>,
}

impl Cloud {
    /// Creates a server, which is born stopped.
    pub fn create_server(&self, new: NewServer) -> Result<Server, Refusal> {
        self.mutate("create_server", |deed| deed.create_server(new))
    }
}

impl Deed {
    /// Creates a server, which is born stopped.
    pub(super) fn create_server(&mut self, new: NewServer) -> Result<Server, Refusal> {
        self.truth.market.check_zone(&new.zone)?;
        let price = self.truth.market.compute(&new.zone, &new.kind)?;
        self.check_quota("server")?;
        self.check_server_name(&new.name, "")?;
        let mut server = Server {
            id: self.mint("srv"),
            zone: new.zone,
            name: new.name,
            kind: new.kind,
            state: ServerState::Stopped,
            created: self.tick(),
            tags: new.tags,
            image: None,
            root: None,
            volumes: Vec::new(),
            address: None,
            firewall: None,
            ever_started: false,
            off_since: None,
            protected: false,
            takes_local_disks: false,
            disks: Vec::new(),
        };
        self.give_root(&mut server, &new.boot, new.root_gb)?;
        for volume in new.volumes {
            self.take_volume(&server, &volume)?;
            server.volumes.push(volume);
        }
        if let Some(address) = new.address {
            self.take_address(&server, &address)?;
            server.address = Some(address);
        }
        if let Some(firewall) = new.firewall {
            let zone = &self.truth.firewall(&firewall)?.zone;
            check_same_zone(&server, &firewall, zone)?;
            server.firewall = Some(firewall);
        }
        if self.truth.imitate == Imitate::LocalDisks {
            self.open_bill(&server.id, "compute", &server.name, price);
        }
        self.truth.servers.insert(server.id.clone(), server.clone());
        Ok(server)
    }

    /// Gives a server that is being born what it boots from.
    fn give_root(&mut self, server: &mut Server, boot: &Boot, root_gb: Option<u64>) -> Result<(), Refusal> {
        match (boot, self.truth.imitate) {
            (Boot::Image(label), _) => {
                let image = catalogue::stock_image(label)?;
                let size_gb = at_least(image.min_gb, root_gb, label)?;
                let header = format!("cloudypad local image {label}\n");
                self.give_new_root(server, label, size_gb, |deed, id| deed.make_disk(id, size_gb, header.as_bytes()))
            }
            (Boot::File(path), _) => {
                let label = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                let size_gb = at_least(Disks::size_of(path)?, root_gb, &label)?;
                self.give_new_root(server, &label, size_gb, |deed, id| deed.import_disk(path, id, size_gb))
            }
            (Boot::Volume(volume), Imitate::Volumes) => {
                let found = self.truth.volume(volume)?;
                if found.server.is_none() && found.state != VolumeState::Available {
                    let message = format!("volume {volume} should be available, it is {}", found.state);
                    return Err(Refusal::conflict(message));
                }
                if root_gb.is_some_and(|size| size != found.size_gb) {
                    return Err(Refusal::invalid(format!("the root size cannot be chosen: volume {volume} has {} GB", found.size_gb)));
                }
                self.take_volume(server, volume)?;
                server.volumes.push(volume.clone());
                server.root = Some(Root::Volume(volume.clone()));
                Ok(())
            }
            (Boot::Capture(image), Imitate::LocalDisks) => {
                let found = self.truth.image(image)?.clone();
                if !self.truth.is_whole(image) {
                    let message = format!("image {image} should be available, it is {}", found.state);
                    return Err(Refusal::conflict(message));
                }
                let size_gb = at_least(found.size_gb, root_gb, image)?;
                let id = self.mint("disk");
                self.copy_disk(image, &id, size_gb)?;
                server.image = Some(image.clone());
                server.root = Some(Root::Disk { id, size_gb });
                Ok(())
            }
            (Boot::Volume(_), Imitate::LocalDisks) => {
                Err(Refusal::invalid("servers of this cloud boot from local disks, not from volumes"))
            }
            (Boot::Capture(_), Imitate::Volumes) => {
                Err(Refusal::invalid("servers of this cloud boot from volumes, not from captured disks"))
            }
        }
    }

    /// Makes the root disk that comes with an image, where this cloud's servers have it.
    fn give_new_root(
        &mut self,
        server: &mut Server,
        label: &str,
        size_gb: u64,
        make: impl FnOnce(&mut Deed, &str) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        server.image = Some(label.to_owned());
        match self.truth.imitate {
            Imitate::Volumes => self.give_root_volume(server, label, size_gb, make),
            Imitate::LocalDisks => {
                let id = self.mint("disk");
                make(self, &id)?;
                server.root = Some(Root::Disk { id, size_gb });
                Ok(())
            }
        }
    }

    /// Makes the root volume that comes with an image: in use at once, and without tags.
    fn give_root_volume(
        &mut self,
        server: &mut Server,
        label: &str,
        size_gb: u64,
        make: impl FnOnce(&mut Deed, &str) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.check_quota("volume")?;
        let id = self.mint("vol");
        make(self, &id)?;
        let volume = Volume {
            id: id.clone(),
            zone: server.zone.clone(),
            name: format!("{label}_root"),
            size_gb,
            state: VolumeState::InUse,
            server: Some(server.id.clone()),
            created: self.tick(),
            last_detached: None,
            from_snapshot: None,
            from_image: Some(label.to_owned()),
            tags: Vec::new(),
            local: false,
            ephemeral: false,
        };
        let price = self.truth.market.volume(&volume.zone, size_gb);
        self.open_bill(&id, "volume", &volume.name, price);
        self.truth.volumes.insert(id.clone(), volume);
        server.volumes.push(id.clone());
        server.root = Some(Root::Volume(id));
        Ok(())
    }
}

/// The wanted size, unless it is too small for what shall be on it.
fn at_least(min_gb: u64, wanted_gb: Option<u64>, what: &str) -> Result<u64, Refusal> {
    match wanted_gb {
        Some(size) if size < min_gb => Err(Refusal::invalid(format!("{what} needs {min_gb} GB, not {size}"))),
        Some(size) => Ok(size),
        None => Ok(min_gb),
    }
}
