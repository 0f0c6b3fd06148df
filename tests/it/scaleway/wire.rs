//! The order on the wire on the way to the archive. What may be called is decided by what was seen before.

use crate::support::{
    face::{Entry, Face},
    scaleway::pad,
    shop::Shop,
};

/// What an archive's log must show, in this order: each call only after what it waits for was seen.
pub fn check(log: &[Entry]) -> Result<(), String> {
    let at = |what: &str, from: usize, wanted: &dyn Fn(&Entry) -> bool| {
        log.iter().enumerate().skip(from).find(|(_, it)| wanted(it)).map(|it| it.0).ok_or_else(|| format!("{what}: not seen in time"))
    };
    let brief = |what: &'static str| move |it: &Entry| it.brief() == what;
    let every = |what: &str| log.iter().enumerate().filter(|(_, it)| it.brief() == what).map(|it| it.0).collect::<Vec<_>>();
    let id = |it: &Entry| it.path.split('/').find(|it| it.len() == 36).unwrap_or_default().to_owned();

    let off = at("power off", 0, &brief("POST servers/action poweroff"))?;
    let server = id(&log[off]);
    let detach = at("detach", 0, &brief("PATCH servers"))?;
    let shows = |entry: &Entry, id: &str, state: &str| !entry.changes() && entry.seen.iter().any(|(its, now)| its == id && now == state);
    let between = |from: usize, to: usize, id: &str, state: &str| {
        let seen = log.get(from..to).is_some_and(|part| part.iter().any(|it| shows(it, id, state)));
        if seen { Ok(()) } else { Err(format!("{id} was not seen {state} between calls {from} and {to}")) }
    };
    between(off, detach, &server, "stopped")?;

    let snapshots = every("POST snapshots");
    let [first, second] = snapshots.as_slice() else { return Err(format!("{} snapshots", snapshots.len())) };
    let volumes: Vec<String> = snapshots.iter().map(|it| log[*it].body["volume_id"].as_str().unwrap_or_default().to_owned()).collect();
    for volume in &volumes {
        between(detach, *first, volume, "available")?;
    }
    // Side by side: the second does not wait for the first.
    if log[*first..*second].iter().any(|it| !it.changes()) {
        return Err("the snapshots were taken one after the other".to_owned());
    }
    let gone = at("delete", 0, &brief("DELETE servers"))?;
    let ready: std::collections::BTreeSet<&str> = log[*second..gone.max(*second)]
        .iter()
        .filter(|it| !it.changes() && it.path.contains("/snapshots"))
        .flat_map(|it| it.seen.iter().filter(|(_, state)| state == "available").map(|(id, _)| id.as_str()))
        .collect();
    if ready.len() < 2 {
        return Err(format!("{} snapshots were seen available before the server went", ready.len()));
    }
    let deletes = every("DELETE volumes");
    let Some(first_delete) = deletes.first() else { return Err("no volume was deleted".to_owned()) };
    let lists_without = |entry: &Entry| {
        let list = entry.method == "GET" && entry.path.ends_with("/servers") && entry.status == 200;
        list && entry.seen.iter().all(|(id, _)| *id != server)
    };
    let seen_gone = log.get(gone..*first_delete).is_some_and(|it| it.iter().any(|it| lists_without(it) || shows(it, &server, "gone")));
    if !seen_gone {
        return Err("the volumes went before the server was seen gone".to_owned());
    }
    let mut deleted: Vec<String> = deletes.iter().map(|it| id(&log[*it])).collect();
    deleted.sort();
    let mut copied = volumes;
    copied.sort();
    if deleted == copied { Ok(()) } else { Err("other volumes were deleted than copied".to_owned()) }
}

#[test]
fn an_archive_waits_for_what_it_needs_to_see() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", ""));
    shop.write("pad.yaml", &pad("absent", ""));
    face.log();
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    let log = face.log();
    check(&log).unwrap_or_else(|why| panic!("{why}\n{:#?}", log.iter().map(Entry::brief).collect::<Vec<_>>()));

    // The test can fail: with any wait taken out, what it waited for is not seen.
    let position = |brief: &str| log.iter().position(|it| it.brief() == brief).unwrap();
    let last = |brief: &str| log.iter().rposition(|it| it.brief() == brief).unwrap();
    let waits = [
        ("stopped", position("POST servers/action poweroff"), position("PATCH servers")),
        ("detached", position("PATCH servers"), position("POST snapshots")),
        ("copied", last("POST snapshots"), position("DELETE servers")),
        ("gone", position("DELETE servers"), position("DELETE volumes")),
    ];
    for (what, from, to) in waits {
        let hasty: Vec<Entry> =
            log.iter().enumerate().filter(|(at, it)| it.changes() || *at < from || *at > to).map(|it| it.1.clone()).collect();
        assert!(check(&hasty).is_err(), "without the wait until {what} the order still passes");
    }
    let mut turned = log.clone();
    turned.swap(position("DELETE servers"), position("POST snapshots"));
    assert!(check(&turned).is_err(), "a server deleted before its disks are copied still passes");
}

/// Whether before each action and each deletion of a server it was looked at by its id, after whatever was done to it
/// before: what it allows is only trusted from there. How many there were, by kind.
fn looked_before(log: &[Entry]) -> Result<std::collections::BTreeMap<String, usize>, String> {
    let id = |it: &Entry| it.path.split('/').skip_while(|it| *it != "servers").nth(1).unwrap_or_default().to_owned();
    let mut counts = std::collections::BTreeMap::new();
    for (at, entry) in log.iter().enumerate() {
        let brief = entry.brief();
        if !brief.starts_with("POST servers/action") && brief != "DELETE servers" {
            continue;
        }
        let server = id(entry);
        // New tags may come in between: they are written side by side, and allow and forbid nothing.
        let retags = |it: &Entry| it.brief() == "PATCH servers" && it.body.as_object().is_some_and(|it| it.keys().all(|key| key == "tags"));
        let before = log[..at].iter().rev().find(|it| id(it) == server && !retags(it));
        let before = before.ok_or_else(|| format!("{brief}: {server} was never seen"))?;
        if before.brief() != "GET servers" || before.status != 200 || before.seen.is_empty() {
            return Err(format!("{brief}: the call before it is {}, {}", before.brief(), before.status));
        }
        *counts.entry(brief).or_default() += 1;
    }
    Ok(counts)
}

#[test]
fn no_action_without_a_look_at_what_its_server_allows() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.log();
    for state in ["present", "stopped", "present", "absent", "present"] {
        shop.write("pad.yaml", &pad(state, ""));
        face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    }
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    let log = face.log();
    let counts = looked_before(&log).unwrap();
    let kinds: Vec<(&str, usize)> = counts.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    let expected = [
        ("DELETE servers", 1),
        ("POST servers/action poweroff", 3),
        ("POST servers/action poweron", 4),
        ("POST servers/action terminate", 1),
    ];
    assert_eq!(kinds, expected);
    // The test can fail: without the looks by id, nothing is looked at before.
    for kind in ["poweroff", "poweron", "terminate"] {
        let at = log.iter().position(|it| it.brief().ends_with(kind)).unwrap();
        let look = log[..at].iter().rposition(|it| it.brief() == "GET servers" && it.path.split('/').count() == 7).unwrap();
        let mut blind = log.clone();
        blind.remove(look);
        assert!(looked_before(&blind).is_err(), "{kind} without its look still passes");
    }
}
