//! Keeps book and machines together: orders, and what every look finds out.

use super::{
    Qemu,
    line::{Line, find_qemu},
    machine::{Hand, Life, Machine},
};
use crate::{
    model::{Id, Power, Server, Step},
    provider::{Problem, Provider},
};
use std::time::Duration;

/// For how long a guest may take to shut down until its power is cut, as a cloud would.
const SHUTDOWN: Duration = Duration::from_secs(120);

/// What a look at a server's machine found out.
#[derive(Debug, Default)]
pub(super) struct Tended {
    /// It was ordered off, and its guest is still at it.
    pub leaving: bool,
    /// The book was changed.
    pub changed: bool,
}

impl Qemu {
    /// Brings book and machine together, unless somebody else is at it.
    pub(super) async fn tend(&self, server: &Id<Server>) -> Result<Tended, Problem> {
        let machine = self.machine(server.as_str());
        if !machine.is_known() {
            return Ok(Tended::default());
        }
        let Some(_hand) = machine.hand().map_err(failed)? else {
            // Another process does just this; what it finds out is seen at the next look.
            return Ok(Tended { leaving: machine.is_leaving(), changed: false });
        };
        let Some(power) = self.book.power(server.as_str())? else { return Ok(Tended::default()) };
        let life = machine.life().await.map_err(failed)?;
        let mut tended = Tended::default();
        match (&power, life) {
            // It ends, or begins, right now.
            (_, Life::Mute) => tended.leaving = machine.is_leaving(),
            (Power::Starting | Power::Running, Life::Gone) => tended.changed = self.note_off(server, &machine, &power).await?,
            // A start that was cut off goes on; and where a disk of ours was full, the guest goes on once it is not.
            (Power::Starting | Power::Running, Life::Poised | Life::Halted) => machine.release().await.map_err(failed)?,
            (Power::Starting | Power::Running, Life::Runs) => tended.leaving = machine.press_on(SHUTDOWN).await.map_err(failed)?,
            (_, Life::Gone) => {}
            // In the book it is off, and nobody else may hold its disks.
            (_, Life::Poised | Life::Halted | Life::Runs) => machine.cut().await.map_err(failed)?,
        }
        Ok(tended)
    }

    /// Writes down that a machine is off: by our order, or by its guest's own doing.
    async fn note_off(&self, server: &Id<Server>, machine: &Machine, power: &Power) -> Result<bool, Problem> {
        if *power == Power::Starting {
            // The book is not there yet. It will be, at a later look.
            return Ok(false);
        }
        if machine.is_leaving() {
            self.book.perform(&Step::StopServer(server.clone())).await?;
        } else {
            machine.note_own_doing().map_err(failed)?;
            self.book.went_off(server.as_str())?;
        }
        Ok(true)
    }

    /// Starts a server. Its machine is there, with disks and port, before the book says that it starts, and is let loose
    /// after: whatever cannot be had fails before anything is changed.
    pub(super) async fn start(&self, server: &Id<Server>) -> Result<(), Problem> {
        let qemu = find_qemu()?;
        let machine = self.machine(server.as_str());
        machine.give_place().map_err(failed)?;
        let _hand = self.take(&machine)?;
        let Some(frame) = self.book.frame(server.as_str())? else {
            return self.book.perform(&Step::StartServer(server.clone())).await.map(|_| ());
        };
        if machine.life().await.map_err(failed)? != Life::Gone {
            machine.cut().await.map_err(failed)?;
        }
        machine.forget_the_last_run().map_err(failed)?;
        machine.make(&Line { qemu: &qemu, frame: &frame }).await?;
        match self.book.perform(&Step::StartServer(server.clone())).await {
            Ok(_) => machine.release().await.map_err(failed),
            // The next look knows whether it was started.
            Err(lost @ Problem::MaybeDone { .. }) => Err(lost),
            Err(problem) => {
                machine.cut().await.map_err(failed)?;
                Err(problem)
            }
        }
    }

    /// Orders a server off: its guest is asked, and the book is told once it is done.
    pub(super) async fn stop(&self, server: &Id<Server>) -> Result<(), Problem> {
        let machine = self.machine(server.as_str());
        if !machine.is_known() {
            return self.book.perform(&Step::StopServer(server.clone())).await.map(|_| ());
        }
        let _hand = self.take(&machine)?;
        if machine.life().await.map_err(failed)? == Life::Gone {
            return self.book.perform(&Step::StopServer(server.clone())).await.map(|_| ());
        }
        machine.note_order().map_err(failed)?;
        machine.press_on(SHUTDOWN).await.map(|_| ()).map_err(failed)
    }

    /// Ends the machine of a server that is to be deleted.
    pub(super) async fn end(&self, server: &Id<Server>) -> Result<(), Problem> {
        let machine = self.machine(server.as_str());
        if !machine.is_known() {
            return Ok(());
        }
        let _hand = self.take(&machine)?;
        machine.cut().await.map_err(failed)
    }

    /// Ends machines whose server is gone, which a run that was cut off left behind, and removes their files.
    pub(super) async fn sweep(&self) -> Result<(), Problem> {
        for server in Machine::all(self.book.dir()) {
            if self.book.power(&server)?.is_none() {
                self.end(&Id::new(server.as_str())).await?;
                self.machine(&server).forget();
            }
        }
        Ok(())
    }

    fn take(&self, machine: &Machine) -> Result<Hand, Problem> {
        let busy = || Problem::Busy { answer: "another process is at work on its machine".to_owned() };
        machine.hand().map_err(failed)?.ok_or_else(busy)
    }
}

fn failed(error: std::io::Error) -> Problem {
    Problem::NotDone { answer: format!("its machine: {error}"), pause: None }
}
