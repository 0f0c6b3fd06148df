//! The local cloud whose servers really run: a machine of QEMU's boots from each server's own root disk.
//!
//! The book of the local cloud says what was ordered; whether a machine lives is asked of the machine itself, by a lock
//! that only a living process holds. Neither is remembered here. Where a run was cut off between the two, the next look
//! brings them together ([`tend`]): a machine that was made and never let loose is let loose or taken away, and a guest
//! that went off by itself is off in the book.
//!
//! In reading order: [`machine`] is one machine's process and files, `line` its command line, `monitor` the talk with
//! it, `image` makes the owner's image one that can be copied, `tend` keeps book and machines together.

mod image;
mod line;
mod machine;
mod monitor;
mod tend;

use super::{Problem, Provider, Seed, local::Local};
use crate::model::{self, Awaited, Capabilities, HOST, Id, InstanceKey, Power, Seen, Server, Step, World};
use async_trait::async_trait;
use image::Image;
use machine::Machine;
use std::path::PathBuf;
use tend::Tended;

/// One zone of the local cloud, with machines.
pub struct Qemu {
    book: Local,
    image: Image,
    seed: Seed,
}

impl Qemu {
    /// The machines of a local cloud, of which the first boots from `image`, a disk's file.
    pub fn new(book: Local, image: PathBuf, seed: Seed) -> Self {
        let image = Image::new(image, book.dir());
        Self { book: book.with_image(image.raw()), image, seed }
    }

    fn machine(&self, server: &str) -> Machine {
        Machine::of(self.book.dir(), server)
    }

    /// A look at the book, once it says what is true of every machine.
    async fn look(&self, key: &InstanceKey) -> World {
        let world = self.book.observe(key).await;
        let mut seen = Vec::new();
        for server in world.servers.items() {
            match self.tend(&server.id).await {
                Ok(tended) => seen.push((server.id.clone(), tended)),
                Err(problem) => {
                    let cause = model::Cause::Passing(format!("the machine of {}: {problem}", server.name));
                    return World { servers: Seen::Unknown(cause), ..world };
                }
            }
        }
        // What was found out is in the book by now.
        let mut world = if seen.iter().any(|(_, it)| it.changed) { self.book.observe(key).await } else { world };
        if let Seen::Present(servers) = &mut world.servers {
            for server in servers {
                let tended = seen.iter().find(|(id, _)| *id == server.id).map(|(_, it)| it);
                self.show(server, tended);
            }
        }
        world
    }

    /// What only its machine tells of a server.
    fn show(&self, server: &mut Server, tended: Option<&Tended>) {
        let machine = self.machine(server.id.as_str());
        if tended.is_some_and(|it| it.leaving) && matches!(server.power, Power::Running | Power::Starting) {
            server.power = Power::Stopping;
        }
        server.seed = if machine.has_seed() { model::Seed::Set } else { model::Seed::Missing };
        server.told.own_address = Some(machine::ADDRESS.to_owned());
        server.told.ssh_port = machine.ssh_port();
        if machine.went_off_by_itself() && matches!(server.power, Power::Off | Power::StoppedInPlace) {
            server.told.off_by = Some(model::OffBy::Guest);
        }
    }

    /// A server is given what its guest needs at its first boot.
    fn give_seed(&self, server: &Id<Server>) -> Result<(), Problem> {
        let refused = |answer: String| Problem::Refused { answer, remedy: None };
        let first_boot = (self.seed)().map_err(refused)?;
        let name = self.book.frame(server.as_str())?.map(|it| it.name).unwrap_or_default();
        self.machine(server.as_str()).give_seed(&name, first_boot.document.reveal()).map_err(|error| refused(error.to_string()))
    }

    /// Refuses what cannot be done to the disks of a machine that lives.
    fn refuse_alive(&self, server: &str, what: &str) -> Result<(), Problem> {
        if !self.machine(server).lives().map_err(|error| Problem::NotDone { answer: error.to_string(), pause: None })? {
            return Ok(());
        }
        Err(Problem::Refused {
            answer: format!("{what} while its machine runs"),
            remedy: Some("serverState: stopped does it, and present starts it again".to_owned()),
        })
    }

    async fn act(&self, step: &Step) -> Result<String, Problem> {
        match step {
            Step::CreateServer(new) => {
                if let model::Boot::Stock(_) = new.boot {
                    self.image.prepare().await?;
                }
                let first_boot = (self.seed)().map_err(|answer| Problem::Refused { answer, remedy: None })?;
                let mut new = new.clone();
                new.tags = new.tags.with_value(HOST, &first_boot.fingerprint);
                return self.book.perform(&Step::CreateServer(new)).await;
            }
            Step::SeedServer(id) => return self.give_seed(id).map(|()| id.to_string()),
            Step::StartServer(id) => return self.start(id).await.map(|()| id.to_string()),
            Step::StopServer(id) => return self.stop(id).await.map(|()| id.to_string()),
            Step::DeleteServer { server, off, .. } => {
                if *off {
                    self.refuse_alive(server.as_str(), "a server that was seen off is not deleted")?;
                }
                self.end(server).await?;
                let done = self.book.perform(step).await?;
                self.machine(server.as_str()).forget();
                return Ok(done);
            }
            Step::Attach { server, .. } => self.refuse_alive(server.as_str(), "a disk cannot be attached")?,
            Step::Detach { server, .. } => self.refuse_alive(server.as_str(), "a disk cannot be detached")?,
            Step::TakeSnapshot { disk, .. } => self.refuse_held(disk.disk().as_str())?,
            // A local disk goes by its server's name.
            Step::CaptureImage { disk, .. } => self.refuse_held(disk.disk().as_str())?,
            _ => {}
        }
        self.book.perform(step).await
    }

    /// A disk is copied only where no machine writes to it: the copy would be of no moment at all.
    fn refuse_held(&self, disk: &str) -> Result<(), Problem> {
        match self.book.holder_of(disk)? {
            Some(server) => self.refuse_alive(&server, "a disk cannot be copied"),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Provider for Qemu {
    fn capabilities(&self) -> &Capabilities {
        self.book.capabilities()
    }

    async fn begin(&self) -> Result<(), Problem> {
        self.book.begin().await?;
        self.sweep().await
    }

    async fn vet(&self, _world: &World) -> Result<(), Problem> {
        line::find_qemu().map(|_| ())
    }

    async fn observe(&self, key: &InstanceKey) -> World {
        self.look(key).await
    }

    async fn perform(&self, step: &Step) -> Result<String, Problem> {
        self.act(step).await
    }

    async fn arrived(&self, awaited: &Awaited) -> Result<bool, Problem> {
        if let Awaited::ServerSettled(id) | Awaited::ServerGone(id) = awaited
            && self.tend(id).await?.leaving
        {
            return Ok(false);
        }
        self.book.arrived(awaited).await
    }

    fn file_of(&self, id: &str) -> Option<PathBuf> {
        self.book.file_of(id)
    }

    fn local_disk_of(&self, server: &str) -> Option<String> {
        self.book.local_disk_of(server)
    }
}
