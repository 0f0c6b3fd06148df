//! What a server can be told to do, and the pretended task that each order answers with.

use serde_json::{Value, json};

use super::addresses::take_all_back;
use super::catalogue::Availability;
use super::changes::{Change, later};
use super::input::{Fields, invalid, not_usable};
use super::moments::offset;
use super::servers::find;
use super::{backups, show};
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::ServerState;
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;
use crate::emulator::{Moment, Truth};

/// All actions there are.
const ACTIONS: [&str; 7] = ["poweron", "poweroff", "reboot", "stop_in_place", "terminate", "backup", "enable_routed_ip"];
/// How long a server that starts looks for a machine.
const ALLOCATING_SECONDS: u64 = 2;
/// How long after the order to stop a server keeps its dynamic address.
const DYNAMIC_SECONDS: u64 = 5;

/// GET `servers/{id}/action`.
pub fn list(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (server, details) = find(truth, args.zone, args.id)?;
    Ok(Answer::ok(json!({"actions": show::allowed_actions(truth, server, details)})))
}

/// POST `servers/{id}/action`.
pub fn act(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (server, _) = find(&deed.truth, args.zone, args.id)?;
    let action = fields.needed("action")?;
    if !ACTIONS.contains(&action) {
        return Err(invalid("action", "constraint", "not a valid value"));
    }
    let state = server.state;
    if action == "backup" {
        let image = backups::back_up(deed, args, &fields)?;
        return Ok(task(deed, args, "instance_backup", &format!("/images/{image}")));
    }
    if server.protected && action != "poweron" {
        return Err(Answer::precondition(400, "protected_resource", "server is protected"));
    }
    match action {
        "poweron" => power_on(deed, args)?,
        "poweroff" => {
            check(state, &[ServerState::Running, ServerState::StoppedInPlace], "server should be running")?;
            deed.power_off(args.id)?;
            say(deed, args.id, "stopping");
            later(deed, DYNAMIC_SECONDS, Change::DynamicGone(args.id.to_owned()));
        }
        "stop_in_place" => {
            check(state, &[ServerState::Running], "server should be running")?;
            deed.stop_in_place(args.id)?;
            say(deed, args.id, "stopping in place");
        }
        "reboot" => {
            check(state, &[ServerState::Running, ServerState::StoppedInPlace], "server should be running")?;
            deed.reboot(args.id)?;
            say(deed, args.id, "rebooting");
        }
        "terminate" => terminate(deed, args, state)?,
        _ => {} // Addresses are routed already.
    }
    Ok(task(deed, args, "fake task", &format!("/servers/{}", args.id)))
}

/// Refuses a server in another condition than these.
fn check(state: ServerState, allowed: &[ServerState], help: &str) -> Result<(), Answer> {
    if allowed.contains(&state) { Ok(()) } else { Err(not_usable(help)) }
}

/// Says what a server does from now on.
fn say(deed: &mut Deed, server: &str, detail: &str) {
    let now = deed.tick();
    if let Some(details) = deed.truth.scaleway.servers.get_mut(server) {
        details.detail = detail.to_owned();
        details.modified = now;
    }
}

fn power_on(deed: &mut Deed, args: &Args) -> Result<(), Answer> {
    let (server, details) = find(&deed.truth, args.zone, args.id)?;
    let (state, kind) = (server.state, server.kind.clone());
    check(state, &[ServerState::Stopped, ServerState::StoppedInPlace], "server should be stopped")?;
    if details.slots.is_empty() {
        return Err(not_usable("server should have a root volume"));
    }
    if state == ServerState::StoppedInPlace {
        // It still has its machine.
        deed.power_on(args.id)?;
        say(deed, args.id, "stopped in place");
        return Ok(());
    }
    if deed.turned_away || deed.truth.scaleway.stock_of(args.zone, &kind) == Availability::Shortage {
        deed.power_on_in_vain(args.id)?;
        say(deed, args.id, "allocating node");
        return Ok(());
    }
    deed.power_on(args.id)?;
    say(deed, args.id, "allocating node");
    let detail = "provisioning node".to_owned();
    later(deed, ALLOCATING_SECONDS, Change::Detail { server: args.id.to_owned(), state: ServerState::Starting, detail });
    Ok(())
}

/// The server goes, and with it the volumes on its machine's own disks; its addresses leave it at once.
fn terminate(deed: &mut Deed, args: &Args, state: ServerState) -> Result<(), Answer> {
    check(state, &[ServerState::Running, ServerState::StoppedInPlace], "server should be running")?;
    take_all_back(deed, args.id);
    if let Some(server) = deed.truth.servers.get_mut(args.id) {
        server.takes_local_disks = true;
    }
    deed.delete_server(args.id)?;
    say(deed, args.id, "terminating");
    let details = deed.truth.scaleway.servers.get(args.id);
    let volumes: Vec<String> = details.into_iter().flat_map(|it| it.slots.values()).map(|slot| slot.volume.clone()).collect();
    let now = deed.now;
    for volume in volumes {
        if deed.truth.volumes.get(&volume).is_some_and(|volume| volume.local)
            && let Some(details) = deed.truth.scaleway.volumes.get_mut(&volume)
        {
            details.modified = now;
        }
    }
    if let Some(details) = deed.truth.scaleway.servers.get_mut(args.id) {
        details.dynamic = None;
    }
    Ok(())
}

/// What an order answers with: nobody can ask for this task again.
fn task(deed: &Deed, args: &Args, description: &str, result: &str) -> Answer {
    let from = format!("/servers/{}/action", args.id);
    Answer::json(202, json!({"task": pretended(deed.now, args.zone, description, &from, result)}))
}

/// A task that is nothing but its answer.
pub fn pretended(now: Moment, zone: &str, description: &str, from: &str, result: &str) -> Value {
    json!({
        "id": "00000000-0000-0000-0000-000000000000",
        "description": description,
        "status": "pending",
        "href_from": from,
        "href_result": result,
        "started_at": offset(now),
        "terminated_at": null,
        "progress": 0,
        "zone": zone,
    })
}

/// What somebody inside does who shuts the guest down.
pub fn guest_shutdown(deed: &mut Deed, server: &str) -> Result<Answer, Answer> {
    deed.guest_shutdown(server)?;
    say(deed, server, "stopping in place");
    let due = deed.truth.transitions.iter().rev().find(|it| matches!(&it.effect, Effect::StoppedInPlace(id) if id == server));
    let due = due.map(|transition| transition.due.to_string());
    Ok(Answer::ok(json!({"server": server, "stopped_in_place_at": due})))
}
