//! Power: what a Linode can be told to do, how its guest follows, and what happens to it without being told.

use serde_json::{Value, json};

use super::details::Status;
use super::events::{self, Entity, notify};
use super::input::Fields;
use super::jobs::{self, Change, Work, check_idle, check_settling, order};
use super::linodes::{entity, find_staying};
use super::problem::{busy, invalid, not_found, refused};
use crate::emulator::face::route::change;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::ServerState;
use crate::emulator::physics::{Deed, Pace};
use crate::emulator::truth::Effect;

/// The endpoints of power.
pub static ROUTES: &[Route] = &[
    change("POST", "/linode/instances/{id}/boot", boot),
    change("POST", "/linode/instances/{id}/shutdown", shutdown),
    change("POST", "/linode/instances/{id}/reboot", reboot),
    change("POST", "/linode/instances/{id}/rescue", rescue),
    change("POST", "/linode/instances/{id}/migrate", migrate),
    change("POST", "/linode/instances/{id}/mutate", mutate),
];

/// How long a Linode stays busy after its status says that it runs.
const TRAILING_SECONDS: u64 = 3;
/// How long it takes until the watchdog notices that a guest is down.
const NOTICE_SECONDS: u64 = 10;
/// How often the watchdog starts a guest within how many seconds before it gives up.
const WATCHDOG: (usize, u64) = (5, 15 * 60);

/// The profile to boot with: the one asked for, the only one, or the one last booted.
fn profile(deed: &Deed, linode: &str, wanted: Option<i64>) -> Result<u64, Answer> {
    let (_, details) = find_staying(&deed.truth, linode)?;
    if let Some(wanted) = wanted {
        let found = details.configs.iter().find(|config| i64::try_from(config.id) == Ok(wanted));
        return found.map(|config| config.id).ok_or_else(|| invalid("config_id", "config_id is not valid"));
    }
    let last = details.booted.filter(|last| details.configs.iter().any(|config| config.id == *last));
    match details.configs.as_slice() {
        [] => Err(refused("This Linode has no configuration profile to boot.")),
        [only] => Ok(only.id),
        _ => last.ok_or_else(|| invalid("config_id", "A config_id is required: this Linode has several configuration profiles.")),
    }
}

/// Refuses a Linode that the platform keeps down.
fn check_free(status: Status) -> Result<(), Answer> {
    match status {
        Status::Stopped => Err(refused("This Linode is stopped for maintenance of its host.")),
        Status::BillingSuspension => Err(refused("This Linode is suspended because of an unpaid bill.")),
        _ => Ok(()),
    }
}

/// POST `boot`: may be said while the Linode is still being made.
fn boot(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (_, details) = find_staying(&deed.truth, args.id)?;
    check_free(details.status)?;
    if details.jobs.iter().any(|job| matches!(job.work, Work::Boot(_))) {
        return Err(busy());
    }
    let is_on = matches!(details.status, Status::Running | Status::Booting);
    check_settling(deed, args.id)?;
    if is_on {
        return Err(refused("This Linode is already running."));
    }
    let config = profile(deed, args.id, fields.number("config_id")?)?;
    order(deed, args.id, "linode_boot", None, Work::Boot(Some(config)))?;
    Ok(Answer::ok(json!({})))
}

/// POST `shutdown`.
fn shutdown(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    check_running(deed, args.id)?;
    order(deed, args.id, "linode_shutdown", None, Work::Shutdown)?;
    Ok(Answer::ok(json!({})))
}

/// POST `reboot`: one that is off is booted.
fn reboot(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (server, details) = find_staying(&deed.truth, args.id)?;
    let (status, state) = (details.status, server.state);
    check_idle(deed, args.id)?;
    check_free(status)?;
    let config = profile(deed, args.id, fields.number("config_id")?)?;
    let work = if state == ServerState::Running { Work::Reboot(Some(config)) } else { Work::Boot(Some(config)) };
    order(deed, args.id, "linode_reboot", None, work)?;
    Ok(Answer::ok(json!({})))
}

/// POST `rescue`: boots a small system beside the disks.
fn rescue(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (server, details) = find_staying(&deed.truth, args.id)?;
    let (status, state) = (details.status, server.state);
    check_idle(deed, args.id)?;
    check_free(status)?;
    let work = if state == ServerState::Running { Work::Reboot(None) } else { Work::Boot(None) };
    order(deed, args.id, "linode_reboot", None, work)?;
    Ok(Answer::ok(json!({})))
}

/// POST `migrate`.
fn migrate(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find_staying(&deed.truth, args.id)?;
    check_idle(deed, args.id)?;
    order(deed, args.id, "linode_migrate", None, Work::Migrate)?;
    Ok(Answer::ok(json!({})))
}

/// POST `mutate`: no plan here has anything newer to become.
fn mutate(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find_staying(&deed.truth, args.id)?;
    Err(refused("There is no upgrade available for this Linode."))
}

fn check_running(deed: &Deed, linode: &str) -> Result<(), Answer> {
    let (_, details) = find_staying(&deed.truth, linode)?;
    let status = details.status;
    check_idle(deed, linode)?;
    if status == Status::Running { Ok(()) } else { Err(refused("This Linode is not running.")) }
}

fn set_status(deed: &mut Deed, linode: &str, status: Status) {
    if let Some(details) = deed.truth.linode.linodes.get_mut(linode)
        && details.status != Status::Deleting
    {
        details.status = status;
        details.updated = deed.now;
    }
}

/// Says for so many cloud seconds that a Linode is doing something.
pub fn say(deed: &mut Deed, linode: &str, status: Status, seconds: u64) -> u64 {
    set_status(deed, linode, status);
    seconds
}

/// Says of a Linode what is the case.
pub fn restore_status(deed: &mut Deed, linode: &str) {
    let is_on = deed.truth.servers.get(linode).is_some_and(|server| server.state == ServerState::Running);
    set_status(deed, linode, if is_on { Status::Running } else { Status::Offline });
}

/// Starts a guest; gives how long that takes.
pub fn start(deed: &mut Deed, linode: &str, config: Option<u64>, event: u64) -> u64 {
    note_profile(deed, linode, config, event);
    set_status(deed, linode, Status::Booting);
    // What cannot be started, for want of a file, stays as it is.
    let _ = deed.power_on(linode);
    deed.truth.market.takes().power_on + TRAILING_SECONDS
}

/// Shuts a guest down; gives how long that takes.
pub fn stop(deed: &mut Deed, linode: &str) -> u64 {
    // It may have gone down by itself while the job waited.
    if deed.power_off(linode).is_ok() {
        set_status(deed, linode, Status::ShuttingDown);
    }
    deed.truth.market.takes().power_off
}

/// Has a guest go down and come up again; gives how long that takes.
pub fn restart(deed: &mut Deed, linode: &str, config: Option<u64>, event: u64) -> u64 {
    if deed.truth.servers.get(linode).is_some_and(|server| server.state != ServerState::Running) {
        return start(deed, linode, config, event);
    }
    note_profile(deed, linode, config, event);
    set_status(deed, linode, Status::Rebooting);
    // What runs can be told to.
    let _ = deed.reboot(linode);
    let takes = deed.truth.market.takes();
    takes.go_down + takes.power_on + TRAILING_SECONDS
}

/// Notes which profile a guest is booted with; the event of it names the profile.
fn note_profile(deed: &mut Deed, linode: &str, config: Option<u64>, event: u64) {
    let Some(config) = config else { return };
    let Some(details) = deed.truth.linode.linodes.get_mut(linode) else { return };
    details.booted = Some(config);
    let Some(config) = details.configs.iter().find(|it| it.id == config) else { return };
    let path = format!("/linode/instances/{linode}/configs/{}", config.id);
    let secondary = Entity::new("linode_config", &config.id.to_string(), &config.label, &path);
    events::involve(deed, event, Some(secondary));
}

/// What follows when a guest runs: it can use its volumes.
pub fn started(deed: &mut Deed, linode: &str) {
    if deed.truth.servers.get(linode).is_none_or(|server| server.state != ServerState::Running) {
        return;
    }
    set_status(deed, linode, Status::Running);
    plug(deed, linode, true);
}

/// What follows when a guest is down. One that went down by itself is started again, if it is watched.
pub fn stopped(deed: &mut Deed, linode: &str) {
    if deed.truth.servers.get(linode).is_none_or(|server| server.state != ServerState::Stopped) {
        return;
    }
    plug(deed, linode, false);
    let Some(details) = deed.truth.linode.linodes.get(linode) else { return };
    if matches!(details.status, Status::Stopped | Status::BillingSuspension | Status::Deleting) {
        return;
    }
    let was_told = details.jobs.iter().any(|job| job.runs && job.work == Work::Shutdown);
    let is_watched = details.watchdog && !was_told;
    set_status(deed, linode, Status::Offline);
    if is_watched {
        deed.schedule(NOTICE_SECONDS, Effect::Linode(Change::Noticed(linode.to_owned())));
    }
}

fn plug(deed: &mut Deed, linode: &str, on: bool) {
    let volumes = deed.truth.servers.get(linode).map(|server| server.volumes.clone()).unwrap_or_default();
    for volume in volumes {
        if let Some(volume) = deed.truth.linode.volumes.get_mut(&volume) {
            volume.io_ready = on && volume.status != "creating";
        }
    }
}

/// What the watchdog does about a guest that is down.
pub fn noticed(deed: &mut Deed, linode: &str) {
    let now = deed.now;
    let is_off = deed.truth.servers.get(linode).is_some_and(|server| server.state == ServerState::Stopped);
    let Some(details) = deed.truth.linode.linodes.get_mut(linode) else { return };
    if !is_off || !details.watchdog || !details.jobs.is_empty() || details.status != Status::Offline {
        return;
    }
    details.rescues.retain(|rescue| rescue.plus_seconds(WATCHDOG.1) > now);
    if details.rescues.len() >= WATCHDOG.0 {
        return;
    }
    details.rescues.push(now);
    let config = details.booted;
    deed.pace = Pace::Times(1);
    // A Linode that is gone needs no watchdog.
    let _ = order(deed, linode, "lassie_reboot", None, Work::Boot(config));
}

/// What no customer can do; `None`, if this is not about power.
pub fn intervene(deed: &mut Deed, what: &str, body: &Value) -> Option<Result<Answer, Answer>> {
    let linode = match &body["linode"] {
        Value::Null => body["server"].clone(),
        linode => linode.clone(),
    };
    let linode = linode.as_str().map_or_else(|| linode.to_string(), str::to_owned);
    let done = match what {
        // In a guest, a reboot ends as a power-off as well.
        "guest-shutdown" | "guest-reboot" => deed.guest_shutdown(&linode).map_err(Answer::from),
        "host-reboot" => host_reboot(deed, &linode),
        "platform-stop" => take_down(deed, &linode, Status::Stopped),
        "suspend" => take_down(deed, &linode, Status::BillingSuspension),
        "release" => release(deed, &linode),
        _ => return None,
    };
    Some(done.map(|()| Answer::ok(json!({"linode": linode, "done": true}))))
}

/// The host of a Linode goes down and comes up again, and so does a guest that runs.
fn host_reboot(deed: &mut Deed, linode: &str) -> Result<(), Answer> {
    let (server, details) = find_staying(&deed.truth, linode)?;
    if server.state != ServerState::Running || !details.jobs.is_empty() {
        return Err(busy());
    }
    order(deed, linode, "host_reboot", None, Work::HostReboot).map(drop)
}

/// The platform takes a Linode down.
fn take_down(deed: &mut Deed, linode: &str, status: Status) -> Result<(), Answer> {
    let (server, details) = find_staying(&deed.truth, linode)?;
    if !details.jobs.is_empty() {
        return Err(busy());
    }
    let entity = entity(server);
    let stamp = deed.tick();
    if let Some(server) = deed.truth.servers.get_mut(linode) {
        server.state = ServerState::Stopped;
        server.off_since = server.off_since.or(server.ever_started.then_some(stamp));
    }
    plug(deed, linode, false);
    set_status(deed, linode, status);
    if status == Status::Stopped {
        notify(deed, "linode_shutdown", Some(entity), None);
    }
    Ok(())
}

/// The platform lets go of a Linode: it is off.
fn release(deed: &mut Deed, linode: &str) -> Result<(), Answer> {
    let details = deed.truth.linode.linodes.get(linode).ok_or_else(not_found)?;
    if !matches!(details.status, Status::Stopped | Status::BillingSuspension) {
        return Err(refused("This Linode is in nobody's hands but its owner's."));
    }
    set_status(deed, linode, Status::Offline);
    Ok(())
}

/// Does what a change to a Linode or its volumes and images says.
pub fn happen(deed: &mut Deed, change: &Change) {
    match change {
        Change::Begin(linode) => jobs::begin(deed, linode),
        Change::Done { linode, event } => jobs::end(deed, linode, *event),
        Change::Uploading { linode, event } => jobs::half(deed, linode, *event),
        Change::Noticed(linode) => noticed(deed, linode),
        Change::Plugged(volume) => super::volumes::plugged(deed, volume),
        Change::Available(image) => super::images::available(deed, image),
        Change::Uploaded(image) => super::image_copies::uploaded(deed, image),
        Change::Replicated(image) => super::image_copies::replicated(deed, image),
        Change::Expired(image) => super::image_copies::expire(deed, image),
        Change::Unlisted => {}
    }
}
