//! The wish `present`: the server exists and runs.

use super::{
    building,
    draft::Draft,
    marks::{NO_RECIPE, refuse_protected},
    rest, retiring,
};
use crate::model::{
    CAPTURE_DUE, Hold, Note, Object, OffBy, Power, Reason, START_DUE, Seed, Server, ServerState, Step, Tags, configure_key, start_up_key,
};

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
    let configured_by = server.tags.get("recipe");
    let is_changed = configured_by.is_some_and(|it| it != recipe) && recipe != NO_RECIPE;
    // Nobody plays on a server that was just started.
    let is_just_started = server.tags.has(START_DUE);
    let may_interrupt = is_just_started || spec.configuration.is_due_now();
    if configured_by.is_none() && (due || recipe != NO_RECIPE) {
        configure(draft, server, Reason::Recipe);
    } else if is_changed && may_interrupt {
        configure(draft, server, Reason::RecipeChanged);
    } else if server.machine_type != spec.placement().machine_type {
        draft.refuse_locked(server)?;
        draft.step(Step::StopServer(server.id.clone()), Reason::OffForChange("instanceType"));
    } else if due && draft.scene.root_capture().is_none() && draft.scene.given_up().is_none() {
        draft.refuse_locked(server)?;
        draft.step(Step::StopServer(server.id.clone()), Reason::QuietForCapture);
    } else if is_just_started {
        start_up(draft, server);
    } else if is_changed {
        draft.notes.push(Note::Later(
            "the configuration changed; it is applied at the next start, or at once with configuration: {when: now}".to_owned(),
        ));
    } else if spec.root_disk_snapshot.enable && draft.scene.root_capture().is_none() && draft.scene.given_up().is_none() {
        let captured = draft.scene.is_capture_outdated();
        let what =
            if captured { "the configuration is newer than the capture of the root disk" } else { "the root disk has no capture yet" };
        draft.notes.push(Note::CapturePending(what));
    }
    Ok(())
}

/// Runs the recipe, then writes on the server that it did; with nothing to configure, the server's first run is the whole of it.
fn configure(draft: &mut Draft<'_>, server: &Server, reason: Reason) {
    let recipe = draft.scene.ask.recipe.clone();
    let over = server.tags.get("recipe");
    let did = draft.scene.facts.played.contains(&configure_key(server.id.as_str(), &recipe, over));
    if recipe != NO_RECIPE && !did {
        draft.step(Step::Configure { server: server.id.clone(), recipe, over: over.map(str::to_owned) }, reason);
        return;
    }
    // A change that may interrupt may as well be captured at once.
    let is_captured_now = reason == Reason::RecipeChanged && draft.scene.ask.spec.configuration.is_due_now();
    let due = server.tags.has(CAPTURE_DUE) || (is_captured_now && draft.scene.ask.spec.root_disk_snapshot.enable);
    let tags = server.tags.clone().with_value("recipe", &recipe).with_if(CAPTURE_DUE, due);
    let reason = if recipe == NO_RECIPE { Reason::RanOnce } else { Reason::Configured };
    draft.step(Step::Retag { object: Object::Server(server.id.clone()), tags, name: None }, reason);
}

/// Whether something is to run inside a server with these tags once it is started.
pub(crate) fn is_due_at_start(draft: &Draft<'_>, tags: &Tags) -> bool {
    let ask = draft.scene.ask;
    ask.on_start || (ask.recipe != NO_RECIPE && tags.get("recipe").is_some_and(|it| it != ask.recipe))
}

/// Runs what runs at every start, then writes on the server that it did.
fn start_up(draft: &mut Draft<'_>, server: &Server) {
    if draft.scene.ask.on_start && !draft.scene.facts.played.contains(&start_up_key(server.id.as_str())) {
        draft.step(Step::StartUp(server.id.clone()), Reason::AtStart);
    } else {
        let tags = server.tags.clone().without(START_DUE);
        draft.step(Step::Retag { object: Object::Server(server.id.clone()), tags, name: None }, Reason::StartedUp);
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
    if server.tags.has(CAPTURE_DUE) && draft.scene.root_capture().is_some() {
        *reason = Reason::AfterCapture;
    }
    Ok(true)
}

/// What a guest needs at its first boot comes before it.
fn start(draft: &mut Draft<'_>, server: &Server, mut reason: Reason) -> Result<(), Hold> {
    draft.refuse_locked(server)?;
    if reason == Reason::ServerState(ServerState::Present) && rest::is_found_off(&draft.scene, server)? {
        reason = Reason::FoundOff;
    }
    if is_due_at_start(draft, &server.tags) && !server.tags.has(START_DUE) {
        let tags = server.tags.clone().with(START_DUE);
        draft.step(Step::Retag { object: Object::Server(server.id.clone()), tags, name: None }, Reason::BeforeStart);
        return Ok(());
    }
    if draft.scene.cloud.seeds && server.power == Power::Off && server.seed == Seed::Missing {
        building::mind_missing_key(draft);
        draft.step(Step::SeedServer(server.id.clone()), Reason::BeforeFirstBoot);
        return Ok(());
    }
    if matches!(reason, Reason::ServerState(ServerState::Present) | Reason::FoundOff)
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
