//! Once nothing goes wrong any more: every run reaches its spec, or a hold that what happened explains, and then is quiet.

use super::{
    cloud::{Bytes, Cloud, Pending},
    engine::Engine,
    search::Covered,
    system::{Breach, Mishap, Move, Phase, Situation, Story, Witness, code, scar},
    view::{self, Glance},
};
use cloudypad::model::{Ask, Awaited, CopyStatus, Power, Role, Root, ServerState, Verdict, VolumeStatus};

/// More moves than any way to the end takes.
const FAR: usize = 400;

fn breach(law: &'static str, how: impl Into<String>) -> Breach {
    Breach { law, how: how.into() }
}

/// The next move in fair weather, or that nothing is left to happen, or what is wrong.
fn fair(now: &Situation, story: &Story, engine: &dyn Engine, again: &mut [u8]) -> Result<Option<Move>, Breach> {
    if !now.cloud.late.is_empty() {
        return Ok(Some(Move::Late(0, true)));
    }
    let hidden = now.cloud.servers.iter().any(|it| it.hidden) || now.cloud.volumes.iter().any(|it| it.hidden);
    if hidden || now.cloud.copies.iter().any(|it| it.hidden) {
        return Ok(Some(Move::Listed));
    }
    if let Some(pending) = now.cloud.pending().first() {
        return Ok(Some(Move::Settle(*pending)));
    }
    for (index, applier) in now.appliers.iter().enumerate() {
        let Some(process) = &applier.process else { return Ok(Some(Move::Look(index, Glance::Clear))) };
        match &process.phase {
            Phase::Looked(_) => return Ok(Some(Move::Look(index, Glance::Clear))),
            Phase::Armed(..) => return Ok(Some(Move::Act(index, Mishap::None))),
            Phase::Ended(verdict, epoch) => {
                // What a run ends with because a call failed is over with the next apply.
                let passes = ["Refused", "KeepsFailing", "OutOfStock", "Stuck"].contains(&code(verdict).as_str());
                if (*epoch != now.epoch && !story.is_contested()) || (passes && again[index] > 0) {
                    again[index] = again[index].saturating_sub(u8::from(passes));
                    return Ok(Some(Move::Look(index, Glance::Clear)));
                }
            }
            Phase::Ready => {
                let mut seen_off = process.seen_off.clone();
                let world = view::look(&now.cloud, None, Glance::Clear, &mut seen_off);
                let facts = engine.facts(&mut process.memory.clone(), &process.recall, &story.wishes[applier.wish], &world);
                let plan = engine.plan(&story.wishes[applier.wish], &world, &facts, now.cloud.can);
                if plan.verdict != Verdict::Underway || !plan.next.is_empty() {
                    return Ok(Some(Move::Look(index, Glance::Clear)));
                }
                let clock = plan.waits.iter().any(|it| matches!(it.awaited, Awaited::Clock(_)));
                match clock {
                    true if process.clock.is_some_and(|it| it.0 > now.cloud.now) => return Ok(Some(Move::Tick(index))),
                    true => return Ok(Some(Move::Look(index, Glance::Clear))),
                    false => {
                        let waits: Vec<&str> = plan.waits.iter().map(|it| it.until.as_str()).collect();
                        return Err(breach("convergence", format!("waits for what never comes: {}", waits.join(", "))));
                    }
                }
            }
        }
    }
    Ok(None)
}

/// Walks on in fair weather until nothing is left to happen, a situation is known to end well, or a law is broken.
/// Every situation on the way is named to `passed`, which says whether it is known.
pub fn walk(
    from: &Situation,
    story: &Story,
    engine: &dyn Engine,
    witness: &mut dyn Witness,
    passed: &mut dyn FnMut(u128) -> bool,
) -> Result<(), Breach> {
    let mut now = from.clone();
    now.faults = 0;
    now.switches = if story.rival.is_some() { u8::MAX } else { now.switches };
    now.before = None;
    let mut again = vec![3; now.appliers.len()];
    for _ in 0..FAR {
        if passed(now.name()) {
            return Ok(());
        }
        match fair(&now, story, engine, &mut again)? {
            Some(next) => {
                let steps = now.all_steps(story, engine);
                let next = now.after(next, story, engine, &steps, witness);
                if let Some(breach) = next.breaches.into_iter().next() {
                    return Err(breach);
                }
                now = next.situation;
            }
            None => return end(&now, story),
        }
    }
    let phases: Vec<String> = now.appliers.iter().map(|it| phase(it.process.as_ref().map(|it| &it.phase))).collect();
    Err(breach("convergence", format!("never settles: {}", phases.join(", "))))
}

/// Where a situation comes to rest, whatever the verdict.
pub fn rest(from: &Situation, story: &Story, engine: &dyn Engine) -> Cloud {
    let mut now = from.clone();
    let mut again = vec![3; now.appliers.len()];
    for _ in 0..FAR {
        let Ok(Some(next)) = fair(&now, story, engine, &mut again) else { break };
        let steps = now.all_steps(story, engine);
        now = now.after(next, story, engine, &steps, &mut Covered::default()).situation;
    }
    now.cloud.as_ref().clone()
}

fn phase(phase: Option<&Phase>) -> String {
    match phase {
        Some(Phase::Ended(verdict, _)) => code(verdict),
        Some(Phase::Armed(first, _)) => format!("armed at {:?}", first.world.now),
        Some(Phase::Looked(_)) => "looked".to_owned(),
        Some(Phase::Ready) => "ready".to_owned(),
        None => "dead".to_owned(),
    }
}

/// Whether it may end like this.
fn end(now: &Situation, story: &Story) -> Result<(), Breach> {
    if story.odd {
        return Ok(());
    }
    for applier in &now.appliers {
        let Some(process) = &applier.process else { continue };
        let Phase::Ended(verdict, epoch) = &process.phase else { continue };
        // Of two who wish for different things, the one who ended first was overridden since.
        if story.is_contested() && *epoch != now.epoch {
            continue;
        }
        let ask = &story.wishes[applier.wish];
        match verdict {
            Verdict::Held(hold) => {
                let hold = hold.code();
                if !is_explained(hold, now.scars, ask, story) {
                    return Err(breach("convergence", format!("held for no reason of the owner's: {hold}")));
                }
                if hold == "Archived" {
                    fulfilled(now, &archived(ask), !process.memory.refused.is_empty()).map_err(|how| breach("convergence", how))?;
                }
            }
            _ => fulfilled(now, ask, !process.memory.refused.is_empty())
                .map_err(|how| breach(if how.contains("twice") { "once" } else { "convergence" }, how))?,
        }
    }
    Ok(())
}

/// What a run says at its end is true at that moment, and stays true when its own calls have had all their effects: nobody
/// need look again.
pub fn is_true(verdict: &Verdict, now: &Situation, by: usize, story: &Story) -> Result<(), Breach> {
    let ask = &story.wishes[now.appliers[by].wish];
    let cloud = &now.cloud;
    // What begins oddly may be held at any time, and what another applier is about to do makes nobody's word untrue.
    if story.odd || story.rival.is_some() {
        return Ok(());
    }
    if let Verdict::Held(hold) = verdict {
        let reason = hold.code();
        let explained = is_explained(reason, now.scars, ask, story);
        if reason == "Archived" {
            let told = now.appliers[by].process.as_ref().is_some_and(|it| !it.memory.refused.is_empty());
            return fulfilled(now, &archived(ask), told).map_err(|how| breach("convergence", how));
        }
        return if explained { Ok(()) } else { Err(breach("convergence", format!("held for no reason of the owner's: {reason}"))) };
    }
    if now.has_hidden() {
        return Err(breach("once", "done, and something that it made is not listed yet"));
    }
    let late = cloud.late.iter().filter(|it| it.by == by && cloud.can.late_effect > 0);
    if let Some(late) = late.into_iter().find(|it| cloud.would_make(&it.order)) {
        return Err(breach("once", format!("done, and a call may still make something: {:?}", late.order)));
    }
    // That Linode is not quite done with a server that runs already, nothing shows.
    let shows = |it: &Pending| !matches!(it, Pending::Server(at) if cloud.servers[*at].it.power == Power::Running);
    if cloud.pending().iter().any(shows) {
        return Err(breach("convergence", "done, and something is under way"));
    }
    let told = now.appliers[by].process.as_ref().is_some_and(|it| !it.memory.refused.is_empty());
    fulfilled(now, ask, told).map_err(|how| breach(if how.contains("twice") { "once" } else { "convergence" }, how))
}

/// Whether what happened explains a hold. What cloudypad, a kill or a lost answer left behind explains none.
fn is_explained(hold: &str, scars: u16, ask: &Ask, story: &Story) -> bool {
    let any = |of: u16| scars & of != 0;
    let spec = &ask.spec;
    match hold {
        "Suspended" => ask.is_suspended(),
        "Protected" => spec.protect,
        "OtherApplier" => story.rival.is_some(),
        "Archived" => !ask.wake && story.wishes.iter().any(|it| it.idle.is_some()),
        "KeepsGoingOff" => any(scar::GUEST | scar::STOPPED),
        "RootWouldDie" => !spec.root_disk_snapshot.enable && !spec.root_disk.disposable,
        "WouldShrink" => true,
        // Who has an instance deleted, and wants it again half-way, is asked as well.
        "DiskGone" => {
            let deleted = (any(scar::EDITED) || story.rival.is_some()) && story.wishes.iter().any(|it| it.deletion.is_some());
            deleted || any(scar::VOLUME_DELETED | scar::SERVER_DELETED | scar::COPY_DELETED | scar::COPY_FAILED | scar::DETACHED)
        }
        "DiskBroken" => any(scar::COPY_FAILED),
        "CaptureFailed" => any(scar::COPY_FAILED),
        "Locked" => any(scar::LOCKED),
        "Refused" | "KeepsFailing" => any(scar::REFUSED | scar::LOCKED | scar::SERVER_DELETED | scar::COPY_DELETED),
        "UnknownState" => any(scar::DETACHED | scar::GUEST),
        _ => false,
    }
}

/// What an instance that rests is held to: nothing but that its owner wishes it `present` is otherwise than in an archive.
fn archived(ask: &Ask) -> Ask {
    let mut ask = ask.clone();
    ask.spec.amend(|spec| spec.server_state = ServerState::Absent);
    ask
}

/// Whether the truth is what the spec says: one of each, and nothing beside it but what the cloud would not delete, which
/// was told.
fn fulfilled(now: &Situation, ask: &Ask, told: bool) -> Result<(), String> {
    let cloud = &now.cloud;
    let can = cloud.can;
    let spec = &ask.spec;
    let ours: Vec<_> = cloud.volumes.iter().filter(|it| it.it.tags.has(view::MARK)).collect();
    let count = |role: Role| ours.iter().filter(|it| it.it.tags.role() == Some(role)).count();
    let (roots, datas) = (count(Role::Root), count(Role::Data));
    let copies = |role: Role| cloud.copies.iter().filter(|it| it.it.tags.role() == Some(role)).count();
    for (what, number) in [
        ("server", cloud.servers.len()),
        ("root disk", roots),
        ("data disk", datas),
        ("address", cloud.addresses.len()),
        ("firewall", cloud.firewalls.len()),
    ] {
        if number > 1 {
            return Err(format!("there twice: {what}"));
        }
    }
    let want = |good: bool, what: &str| if good { Ok(()) } else { Err(format!("done, and {what}")) };
    let torn_off = now.scars & (scar::SERVER_DELETED | scar::DETACHED) != 0;
    let lost_sight_of = cloud.volumes.iter().any(|it| it.it.tags.role().is_none());
    want(!lost_sight_of || torn_off, "a disk is left that nobody would find again")?;
    if let Some(deletion) = ask.deletion {
        want(cloud.servers.is_empty(), "a server is left")?;
        want(ours.is_empty() || (deletion.keep_snapshots && !can.data_snapshots && roots == 0), "a disk is left")?;
        want(deletion.keep_snapshots || cloud.copies.is_empty() || told, "a copy is left")?;
        return want(cloud.addresses.is_empty() && cloud.firewalls.is_empty(), "network is left");
    }
    if spec.server_state == ServerState::Absent {
        want(cloud.servers.is_empty(), "a server is left")?;
        let keeps_root = !spec.root_disk_snapshot.enable && !spec.root_disk.disposable && can.root_outlives_server;
        want(roots == 0 || keeps_root, "the root disk is left")?;
        let keeps_data = !(spec.data_gb().is_some() && spec.data_disk_snapshot.enable && can.data_snapshots);
        let gone = spec.data_disk.as_ref().is_some_and(|it| it.delete);
        want(datas == 0 || (keeps_data && !gone), "the data disk is left")?;
    } else {
        let server = cloud.servers.first().map(|it| &it.it).ok_or("done, and there is no server")?;
        let power = if spec.server_state == ServerState::Present { Power::Running } else { Power::Off };
        want(server.power == power, "the server is not as wished")?;
        let root_dies = !spec.root_disk_snapshot.enable && !spec.root_disk.disposable && !can.root_outlives_server;
        want(ask.idle.is_none() || root_dies, "nobody uses it, and it is not archived")?;
        want(server.root != Root::Detached, "the server has no root disk")?;
        let data = cloud.volumes.iter().find(|it| it.it.tags.role() == Some(Role::Data));
        let attached = data.is_some_and(|it| it.it.status == VolumeStatus::InUse && server.volumes.contains(&it.it.id));
        want(spec.data_gb().is_none() || attached, "the data disk is not attached")?;
        want(server.machine_type == spec.placement().machine_type, "the server is of another type")?;
        let wall = cloud.firewalls.iter().find(|it| server.firewall.as_ref() == Some(&it.id));
        want(wall.is_some_and(|it| it.shut && it.rules == spec.network.rules()), "the server stands in the open")?;
        let root = match &server.root {
            Root::Volume(id) => cloud.volume(id.as_str()).map(|at| &cloud.volumes[at].bytes),
            _ => cloud.servers[0].local.as_ref(),
        };
        let data = data.map(|it| &it.bytes).filter(|_| attached);
        for (role, bytes) in [(Role::Root, root), (Role::Data, data)] {
            let copies = cloud.copies.iter().filter(|it| it.it.tags.role() == Some(role) && it.it.status == CopyStatus::Ready);
            let newest = copies.filter(|it| it.it.tags.get("img") == server.tags.get("img")).max_by_key(|it| it.it.created);
            let descends = |bytes: &Bytes| newest.is_none_or(|it| bytes.descends_from(&it.bytes));
            want(bytes.is_none_or(descends), &format!("the {role} disk is not what its newest copy was"))?;
        }
    }
    let retained = |enabled: bool, role: Role, retain: u32| !enabled || copies(role) <= retain as usize + 1;
    let refused = told || now.scars & (scar::REFUSED | scar::COPY_FAILED) != 0;
    want(refused || retained(spec.root_disk_snapshot.enable, Role::Root, spec.root_disk_snapshot.retain), "too many root copies are left")?;
    want(refused || retained(spec.data_disk_snapshot.enable, Role::Data, spec.data_disk_snapshot.retain), "too many data copies are left")
}
