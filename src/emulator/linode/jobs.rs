//! Whatever takes its time on a Linode: a queue of jobs for each, the first of which runs, and an event for each of them.

use serde::{Deserialize, Serialize};

use super::details::Status;
use super::events::{self, Entity, Stage};
use super::problem::{busy, not_found};
use super::{backups, disks, images, linodes, power, rebuild, resize};
use crate::emulator::face::Answer;
use crate::emulator::physics::{Deed, Pace};
use crate::emulator::truth::Effect;

/// How long a job waits for its host at least.
const DISPATCH_SECONDS: u64 = 1;

/// How long a job takes that comes to nothing, in cloud seconds.
const FAILING_SECONDS: u64 = 15;
/// How long it takes to make a Linode with an image, in cloud seconds, as measured; so are those below.
const CREATE_SECONDS: u64 = 47;
/// The same without an image.
const CREATE_EMPTY_SECONDS: u64 = 5;
/// Replacing what is on a Linode.
const REBUILD_SECONDS: u64 = 50;
/// Moving to another host.
const MIGRATE_SECONDS: u64 = 60;
/// Copying a disk.
const COPY_DISK_SECONDS: u64 = 40;
/// Giving a disk another size.
const RESIZE_DISK_SECONDS: u64 = 20;
/// Copying a Linode.
const CLONE_SECONDS: u64 = 110;
/// Making a backup.
const BACKUP_SECONDS: u64 = 260;
/// Putting a backup back.
const RESTORE_SECONDS: u64 = 19;

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The number of its event.
    pub event: u64,
    /// What is done.
    pub work: Work,
    /// How many times as long as usual it takes; for ever, if missing.
    pub factor: Option<u64>,
    /// Whether it comes to nothing.
    pub in_vain: bool,
    /// Whether it runs.
    pub runs: bool,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A Linode is made, with an image or without.
    Create {
        /// Whether there is an image to deploy.
        image: bool,
    },
    /// Its guest is started, with this configuration profile.
    Boot(Option<u64>),
    /// Its guest is shut down.
    Shutdown,
    /// Its guest goes down and comes up again, with this configuration profile.
    Reboot(Option<u64>),
    /// Its host goes down and comes up again.
    HostReboot,
    /// Its disks are replaced.
    Rebuild,
    /// It becomes another plan.
    Resize {
        /// The plan.
        plan: String,
        /// Whether its only disk takes what room there is.
        grow: bool,
    },
    /// It moves to another host.
    Migrate,
    /// A disk is made.
    MakeDisk(String),
    /// A disk is copied into this new one.
    CopyDisk(String),
    /// A disk goes.
    DeleteDisk(String),
    /// A disk gets another size.
    ResizeDisk {
        /// The disk.
        disk: String,
        /// The size in MB.
        size_mb: u64,
    },
    /// An image of this number is made of a disk.
    Imagize(String),
    /// The Linode is copied into this new one.
    CloneTo(String),
    /// The Linode is being copied from another one.
    CloneFrom,
    /// A backup is made.
    Snapshot,
    /// A backup is put back.
    Restore,
}

/// What may happen by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The first job in the queue of a Linode begins.
    Begin(String),
    /// A job is done.
    Done {
        /// The Linode.
        linode: String,
        /// The number of the job's event.
        event: u64,
    },
    /// The second half of a capture begins, or it turns out that it fails.
    Uploading {
        /// The Linode.
        linode: String,
        /// The number of the job's event.
        event: u64,
    },
    /// A guest that went down by itself is noticed by the watchdog.
    Noticed(String),
    /// A running guest can use a volume.
    Plugged(String),
    /// A captured image is said to be there.
    Available(String),
    /// An uploaded image is there.
    Uploaded(String),
    /// An image is where it was copied to.
    Replicated(String),
    /// A recovery image goes.
    Expired(String),
    /// Lists leave something out from now on.
    Unlisted,
}

/// Puts a job into the queue of a Linode; gives the number of its event.
pub fn order(deed: &mut Deed, linode: &str, action: &str, secondary: Option<Entity>, work: Work) -> Result<u64, Answer> {
    let (server, _) = linodes::find(&deed.truth, linode)?;
    let entity = linodes::entity(server);
    let event = events::tell(deed, action, Stage::Scheduled, Some(entity), secondary);
    enqueue(deed, linode, event, work)?;
    Ok(event)
}

/// The same for a job without an event of its own.
pub fn order_silently(deed: &mut Deed, linode: &str, work: Work) -> Result<(), Answer> {
    enqueue(deed, linode, 0, work)
}

fn enqueue(deed: &mut Deed, linode: &str, event: u64, work: Work) -> Result<(), Answer> {
    let factor = match deed.pace {
        Pace::Times(factor) => Some(factor),
        Pace::Never => None,
    };
    let in_vain = deed.in_vain;
    let details = deed.truth.linode.linodes.get_mut(linode).ok_or_else(not_found)?;
    details.jobs.push(Job { event, work, factor, in_vain, runs: false });
    if details.jobs.len() == 1 {
        call_for_next(deed, linode);
    }
    Ok(())
}

/// Refuses a Linode on which jobs run or wait.
pub fn check_idle(deed: &Deed, linode: &str) -> Result<(), Answer> {
    let details = deed.truth.linode.linodes.get(linode).ok_or_else(not_found)?;
    if details.jobs.is_empty() && details.status != Status::Deleting { Ok(()) } else { Err(busy()) }
}

/// Refuses a Linode on which jobs run or wait other than those that make it and first boot it.
pub fn check_settling(deed: &Deed, linode: &str) -> Result<(), Answer> {
    let details = deed.truth.linode.linodes.get(linode).ok_or_else(not_found)?;
    let is_early = |job: &Job| matches!(job.work, Work::Create { .. } | Work::Rebuild | Work::Boot(_));
    if details.jobs.iter().all(is_early) && details.status != Status::Deleting { Ok(()) } else { Err(busy()) }
}

/// Has the first job of a queue begin when its host has time, at the usual pace.
fn call_for_next(deed: &mut Deed, linode: &str) {
    let pace = std::mem::replace(&mut deed.pace, Pace::Times(1));
    deed.schedule(DISPATCH_SECONDS, Effect::Linode(Change::Begin(linode.to_owned())));
    deed.pace = pace;
}

/// Begins the first job of a queue.
pub fn begin(deed: &mut Deed, linode: &str) {
    let Some(job) = deed.truth.linode.linodes.get_mut(linode).and_then(|it| it.jobs.first_mut()) else { return };
    if job.runs {
        return;
    }
    job.runs = true;
    let job = job.clone();
    deed.pace = job.factor.map_or(Pace::Never, Pace::Times);
    // What comes to nothing does not begin either, but for a capture: that shows later.
    let is_idle = job.in_vain && !matches!(job.work, Work::Imagize(_) | Work::Create { .. } | Work::Rebuild);
    let seconds = if is_idle { FAILING_SECONDS } else { start(deed, linode, &job) };
    events::begin(deed, job.event, seconds.saturating_mul(job.factor.unwrap_or(1)));
    let done = |event| Change::Done { linode: linode.to_owned(), event };
    if matches!(job.work, Work::Imagize(_)) {
        let half = Change::Uploading { linode: linode.to_owned(), event: job.event };
        deed.schedule(seconds * 6 / 10, Effect::Linode(half));
    }
    deed.schedule(seconds, Effect::Linode(done(job.event)));
}

/// Does what a job does first; gives how long it takes, in cloud seconds.
fn start(deed: &mut Deed, linode: &str, job: &Job) -> u64 {
    let takes = deed.truth.market.takes();
    match &job.work {
        Work::Create { image: true } => CREATE_SECONDS,
        Work::Create { image: false } => CREATE_EMPTY_SECONDS,
        Work::Boot(config) => power::start(deed, linode, *config, job.event),
        Work::Shutdown => power::stop(deed, linode),
        Work::Reboot(config) => power::restart(deed, linode, *config, job.event),
        Work::HostReboot => power::restart(deed, linode, None, 0),
        Work::Rebuild => REBUILD_SECONDS,
        Work::Resize { .. } => resize::start(deed, linode),
        Work::Migrate => power::say(deed, linode, Status::Migrating, MIGRATE_SECONDS),
        Work::MakeDisk(disk) => disks::making_takes(deed, disk),
        Work::CopyDisk(_) => COPY_DISK_SECONDS,
        Work::DeleteDisk(disk) => disks::start_deleting(deed, disk),
        Work::ResizeDisk { .. } => RESIZE_DISK_SECONDS,
        Work::Imagize(_) => takes.capture,
        Work::CloneTo(_) | Work::CloneFrom => CLONE_SECONDS,
        Work::Snapshot => BACKUP_SECONDS,
        Work::Restore => power::say(deed, linode, Status::Restoring, RESTORE_SECONDS),
    }
}

/// What is done when a job has taken its time.
///
/// Errors: why it came to nothing.
fn complete(deed: &mut Deed, linode: &str, job: &Job) -> Result<(), String> {
    if job.in_vain {
        match &job.work {
            Work::Imagize(image) => images::fail(deed, image),
            Work::MakeDisk(disk) | Work::CopyDisk(disk) => disks::deleted(deed, disk),
            _ => power::restore_status(deed, linode),
        }
        return Err("The job failed.".to_owned());
    }
    match &job.work {
        Work::Create { .. } | Work::Rebuild => rebuild::deployed(deed, linode),
        Work::Boot(_) | Work::Shutdown | Work::Reboot(_) | Work::HostReboot | Work::CloneFrom => {}
        Work::Resize { plan, grow } => return resize::complete(deed, linode, plan, *grow),
        Work::Migrate => power::restore_status(deed, linode),
        Work::MakeDisk(disk) | Work::CopyDisk(disk) => disks::made(deed, disk),
        Work::DeleteDisk(disk) => disks::deleted(deed, disk),
        Work::ResizeDisk { disk, size_mb } => return disks::resized(deed, disk, *size_mb),
        Work::Imagize(image) => return images::complete(deed, image),
        Work::CloneTo(other) => {
            rebuild::deployed(deed, other);
            power::restore_status(deed, other);
        }
        Work::Snapshot => backups::made(deed, linode),
        Work::Restore => power::restore_status(deed, linode),
    }
    Ok(())
}

/// Ends a job, and has the next one begin.
pub fn end(deed: &mut Deed, linode: &str, event: u64) {
    let Some(details) = deed.truth.linode.linodes.get_mut(linode) else { return };
    let Some(place) = details.jobs.iter().position(|job| job.event == event && job.runs) else { return };
    let job = details.jobs.remove(place);
    let outcome = complete(deed, linode, &job);
    settle(deed, linode, &job, outcome.err().as_deref());
}

/// Ends a capture half way, if it is bound to fail: the image is gone.
pub fn half(deed: &mut Deed, linode: &str, event: u64) {
    let Some(details) = deed.truth.linode.linodes.get_mut(linode) else { return };
    let Some(place) = details.jobs.iter().position(|job| job.event == event && job.runs) else { return };
    let job = details.jobs[place].clone();
    let Work::Imagize(image) = &job.work else { return };
    let failure = if job.in_vain { Some("The capture failed.".to_owned()) } else { images::problem_of(deed, image) };
    let Some(failure) = failure else { return };
    images::fail(deed, image);
    if let Some(details) = deed.truth.linode.linodes.get_mut(linode) {
        details.jobs.remove(place);
    }
    settle(deed, linode, &job, Some(&failure));
}

fn settle(deed: &mut Deed, linode: &str, job: &Job, failure: Option<&str>) {
    events::end(deed, job.event, failure);
    linodes::touch(deed, linode);
    if deed.truth.linode.linodes.get(linode).is_some_and(|it| it.jobs.iter().all(|job| !job.runs) && !it.jobs.is_empty()) {
        begin(deed, linode);
    }
}

/// Drops all jobs of a Linode that goes: they come to nothing.
pub fn drop_all(deed: &mut Deed, linode: &str) {
    let Some(details) = deed.truth.linode.linodes.get_mut(linode) else { return };
    for job in std::mem::take(&mut details.jobs) {
        if let Work::Imagize(image) = &job.work {
            images::fail(deed, image);
        }
        if job.event != 0 {
            events::end(deed, job.event, Some("The Linode was deleted."));
        }
    }
}
