//! The wish `present`: the server exists and runs.

use super::{
    building,
    draft::Draft,
    marks::{NO_RECIPE, refuse_protected},
    retiring,
};
use crate::model::{CAPTURE_DUE, Hold, Note, Object, OffBy, Power, Reason, Seed, Server, ServerState, Step};

/// Plans towards a running server.
pub(crate) fn plan(draft: &mut Draft<'_>) -> Result<(), Hold> {
    if draft.await_leaving() {
        return Ok(());
    }
    let Some(server) = draft.scene.server else { return building::assemble(draft) };
    if draft.scene.is_outdated(&server.tags) {
        return retiring::replace(draft, server);
    }
    if retiring::is_husk(&draft.scene, server) {
        return retiring::take_husk(draft, server);
    }
    if !draft.elected(server.created, "the server") {
        return Ok(());
    }
    match server.power {
        Power::Starting | Power::Stopping | Power::Busy => {
            draft.wait_server(server);
            Ok(())
        }
        Power::StoppedInPlace => start(draft, server, Reason::ServerState(ServerState::Present)),
        Power::Running => tend(draft, server),
        _ => ready_to_start(draft, server),
    }
}

/// A running server: what can be done while it runs, then what needs it off.
fn tend(draft: &mut Draft<'_>, server: &Server) -> Result<(), Hold> {
    let complete = building::complete(draft, server)?;
    let spec = &draft.scene.ask.spec;
    if spec.data_gb().is_none()
        && let Some(data) = draft.scene.data.filter(|it| draft.scene.is_attached(it))
    {
        if crate::model::Word::delete_data(spec).is_some() {
            refuse_protected(draft, "the data disk")?;
            let detach = Step::Detach { server: server.id.clone(), volumes: vec![data.id.clone()] };
            draft.step(detach, Reason::NotInSpec(crate::model::Role::Data));
            return Ok(());
        }
        draft.notes.push(Note::Later("the data disk, which the spec no longer names, is detached at the next stop".to_owned()));
    }
    if !complete {
        return Ok(());
    }
    let due = server.tags.has(CAPTURE_DUE) && spec.root_disk_snapshot.enable;
    let recipe = &draft.scene.ask.recipe;
    if server.tags.get("recipe").is_none() && (due || recipe != NO_RECIPE) {
        configure(draft, server);
    } else if server.machine_type != spec.placement().machine_type {
        draft.refuse_locked(server)?;
        draft.step(Step::StopServer(server.id.clone()), Reason::OffForChange("instanceType"));
    } else if due && draft.scene.root_capture().is_none() && draft.scene.given_up().is_none() {
        draft.refuse_locked(server)?;
        draft.step(Step::StopServer(server.id.clone()), Reason::QuietForCapture);
    } else if server.tags.get("recipe").is_some_and(|it| it != recipe) && recipe != NO_RECIPE {
        draft.notes.push(Note::Later("the configuration changed; it is applied when the server is next made".to_owned()));
    } else if spec.root_disk_snapshot.enable && draft.scene.root_capture().is_none() && draft.scene.given_up().is_none() {
        draft.notes.push(Note::Later("the root disk has no capture yet; it is captured at the next stop".to_owned()));
    }
    Ok(())
}

/// Runs the recipe; with nothing to configure, the server's first run is the whole of it.
fn configure(draft: &mut Draft<'_>, server: &Server) {
    let recipe = draft.scene.ask.recipe.clone();
    if recipe == NO_RECIPE {
        let tags = server.tags.clone().with_value("recipe", &recipe);
        draft.step(Step::Retag { object: Object::Server(server.id.clone()), tags, name: None }, Reason::RanOnce);
    } else {
        draft.step(Step::Configure { server: server.id.clone(), recipe }, Reason::Recipe);
    }
}

/// A server that is off: what needs it off, then the start.
fn ready_to_start(draft: &mut Draft<'_>, server: &Server) -> Result<(), Hold> {
    let mut reason = Reason::ServerState(ServerState::Present);
    if !settle_off(draft, server, &mut reason)? {
        return Ok(());
    }
    start(draft, server, reason)
}

/// What is done while a server is off, whether it is started afterwards or not. `true` once nothing
/// of it is left. `reason` becomes the start's reason where one of these was why it is off.
pub(crate) fn settle_off(draft: &mut Draft<'_>, server: &Server, reason: &mut Reason) -> Result<bool, Hold> {
    if let Some(data) = draft.scene.data.filter(|it| draft.scene.is_attached(it))
        && draft.scene.ask.spec.data_gb().is_none()
    {
        let detach = Step::Detach { server: server.id.clone(), volumes: vec![data.id.clone()] };
        draft.step(detach, Reason::NotInSpec(crate::model::Role::Data));
        return Ok(false);
    }
    if !building::complete(draft, server)? {
        return Ok(false);
    }
    let wanted = draft.scene.ask.spec.placement().machine_type.to_owned();
    if server.machine_type != wanted {
        draft.step(Step::ChangeType { server: server.id.clone(), machine_type: wanted }, Reason::TypeChanged);
        return Ok(false);
    }
    if !retiring::capture_while_off(draft, server)? {
        return Ok(false);
    }
    if server.tags.has(CAPTURE_DUE) && server.tags.get("recipe").is_some() {
        *reason = Reason::AfterCapture;
    }
    Ok(true)
}

/// What a guest needs at its first boot comes before it.
fn start(draft: &mut Draft<'_>, server: &Server, reason: Reason) -> Result<(), Hold> {
    draft.refuse_locked(server)?;
    if draft.scene.cloud.seeds && server.power == Power::Off && server.seed == Seed::Missing {
        building::mind_missing_key(draft);
        draft.step(Step::SeedServer(server.id.clone()), Reason::BeforeFirstBoot);
        return Ok(());
    }
    if reason == Reason::ServerState(ServerState::Present)
        && let Some(by) = &server.told.off_by
        && !is_own_order(draft, server, by)
    {
        draft.notes.push(Note::Mind(format!("server {} {}", server.name, how_it_went_off(by))));
    }
    draft.step(Step::StartServer(server.id.clone()), reason);
    Ok(())
}

/// Whether this machine ordered it off itself, as far as its journal knows.
fn is_own_order(draft: &Draft<'_>, server: &Server, by: &OffBy) -> bool {
    let OffBy::Order { at, .. } = by else { return false };
    let asked = draft.scene.facts.stopped.get(server.id.as_str());
    let around = draft.scene.cloud.late_effect;
    asked.is_some_and(|asked| *asked <= at.plus_seconds(around) && *at <= asked.plus_seconds(around))
}

fn how_it_went_off(by: &OffBy) -> String {
    match by {
        OffBy::Order { user, .. } => format!("was powered off through the vendor's console or API, by {user}"),
        OffBy::Vendor(event) => format!("was powered off by the vendor ({event})"),
        OffBy::Guest => "was shut down from inside, or failed".to_owned(),
    }
}
