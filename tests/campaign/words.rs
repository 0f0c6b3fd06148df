//! How wishes and events are told.

use cloudypad::{
    model::{Ask, Event, OnStop, ServerState, Spec},
    report::Lines,
};

/// An event as the tale has it.
pub fn told(lines: &Lines, ask: &Ask, who: char, event: &Event) -> String {
    let line = match event {
        Event::Started { line, reason, .. } => format!("{:<9} {}, because {reason}", line.verb, line.object),
        Event::Finished { line, took, .. } => format!("{:<9} {}: done, {} ms", line.verb, line.object, took.as_millis()),
        Event::Arrived { until, .. } => format!("now       {until}"),
        event => lines.line(&ask.key, event).unwrap_or_default(),
    };
    format!("{who}    {line}")
}

/// A wish for the server, as the spec has it.
pub fn word(state: ServerState) -> &'static str {
    match state {
        ServerState::Present => "present",
        ServerState::Stopped => "stopped",
        ServerState::Absent => "absent",
    }
}

/// A spec in a few words.
pub fn wanted(spec: &Spec) -> String {
    let mut words = vec![word(spec.server_state).to_owned(), spec.placement().machine_type.to_owned()];
    words.push(spec.data_gb().map_or("no data disk".to_owned(), |gb| format!("data {gb} GB")));
    let snapshot = &spec.root_disk_snapshot;
    words.extend(match (snapshot.enable, snapshot.on_stop) {
        (false, _) => Some("no root snapshot".to_owned()),
        (true, Some(OnStop::Reuse)) => Some("onStop: reuse".to_owned()),
        _ => None,
    });
    words.extend((snapshot.retain > 1).then(|| format!("retain: {}", snapshot.retain)));
    words.extend(spec.root_disk.disposable.then(|| "disposable".to_owned()));
    words.extend(spec.network.dns.as_ref().map(|it| format!("{}.{}", it.record, it.zone)));
    words.join(", ")
}
