//! What a run does inside a server, and what it tells of the cloud there.

use super::turn::Run;
use crate::{
    machine::{Part, PlayError, Reach},
    model::{Ask, BLANK, Event, HOST, Id, MOUNTED, Role, Server, World},
    provider::Problem,
};
use serde_json::{Map, Value, json};

/// Runs something inside a server. A server that does not let us in yet is one that is busy.
pub(super) async fn play(run: &Run<'_>, world: &World, key: &str, server: &Id<Server>, part: Part) -> Result<String, Problem> {
    let found = world.server(server).and_then(|it| Some((reach(world, it)?, told(run.ask, world, it))));
    let (Some(inside), Some((reach, facts))) = (run.inside, found) else {
        let remedy = Some("look in the console whether it has an address".to_owned());
        return Err(Problem::Refused { answer: "there is no way into the server".to_owned(), remedy });
    };
    let (heard, mut hear) = tokio::sync::mpsc::unbounded_channel();
    let tell = move |line: &str| {
        // Whoever is told is there until the end.
        let _ = heard.send(line.to_owned());
    };
    let playing = async {
        let came = inside.play(part, &reach, facts, run.stop.clone(), &tell).await;
        drop(tell);
        came
    };
    let telling = async {
        let mut mounted = false;
        while let Some(text) = hear.recv().await {
            mounted |= says_mounted(&text);
            (run.tell)(Event::Said { key: key.to_owned(), text });
        }
        mounted
    };
    let (came, mounted) = futures_util::future::join(playing, telling).await;
    match came {
        Ok(()) if mounted => Ok(MOUNTED.to_owned()),
        Ok(()) => Ok(server.to_string()),
        Err(PlayError::NotYet(answer)) => Err(Problem::Busy { answer }),
        Err(PlayError::Failed { what, answer }) => {
            let answer =
                format!("{what} failed: {answer} (look around: cloudypad ssh {}; all it said: {})", run.ask.key, inside.log.display());
            Err(Problem::NotDone { answer, pause: None })
        }
        Err(PlayError::Unable { why, remedy }) => Err(Problem::Refused { answer: why, remedy: Some(remedy) }),
        Err(PlayError::Stopped) => Err(Problem::NotDone { answer: "it was told to stop".to_owned(), pause: None }),
    }
}

/// Whether a line of what runs inside a server tells that the data disk is mounted, itself or within a text of JSON.
fn says_mounted(line: &str) -> bool {
    let Some((_, fact)) = line.split_once("cloudypad-fact ") else { return false };
    let plain = fact.replace("\\\"", "\"");
    let object = plain.rfind('}').and_then(|end| serde_json::from_str::<Value>(&plain[..=end]).ok());
    object.is_some_and(|it| it["dataDisk"]["mounted"] == true)
}

/// What a playbook is told beside its own variables (examples/gaming/README.md).
fn told(ask: &Ask, world: &World, server: &Server) -> Map<String, Value> {
    let provider = &ask.spec.provider;
    let name = if provider.scaleway.is_some() {
        "scaleway"
    } else if provider.linode.is_some() {
        "linode"
    } else {
        "local"
    };
    let idle = ask.spec.autostop.as_ref().filter(|it| it.enable).map_or(0, |it| it.timeout_seconds);
    let mut told = Map::new();
    told.insert("cloudypad_instance".to_owned(), json!(ask.key.dotted()));
    told.insert("cloudypad_provider".to_owned(), json!(name));
    told.insert("cloudypad_autostop_seconds".to_owned(), json!(idle));
    let data = server.volumes.iter().filter_map(|id| world.volume(id)).find(|it| it.tags.role() == Some(Role::Data));
    if let Some(data) = data {
        // Sources: Scaleway's and Linode's documentation of block volumes.
        let path = match name {
            "scaleway" => format!("/dev/disk/by-id/scsi-0SCW_sbs_volume-{}", data.id),
            "linode" => format!("/dev/disk/by-id/scsi-0Linode_Volume_{}", data.name),
            _ => format!("/dev/disk/by-id/virtio-{}", data.id),
        };
        told.insert("cloudypad_data_disk".to_owned(), json!({"id": data.id.as_str(), "path": path, "is_new": data.tags.has(BLANK)}));
    }
    told
}

/// How a server can be reached, where it has an address.
pub fn reach(world: &World, server: &Server) -> Option<Reach> {
    let identity = server.tags.get(HOST).map(str::to_owned);
    let address = world.address_of(server)?.to_owned();
    Some(Reach { address, port: server.told.ssh_port.unwrap_or(SSH_PORT), identity })
}

/// The port of SSH, where nothing else is told.
const SSH_PORT: u16 = 22;

#[cfg(test)]
mod tests {
    use super::says_mounted;

    #[test]
    fn what_the_data_disk_says_is_heard_through_ansible() {
        assert!(says_mounted(r#"cloudypad-fact {"dataDisk": {"uuid": "x", "mounted": true}}"#));
        assert!(says_mounted(r#"    "msg": "cloudypad-fact {\"dataDisk\": {\"mounted\": true}}""#));
        for other in [
            "",
            "cloudypad-fact",
            "cloudypad-fact {",
            r#"cloudypad-fact {"dataDisk": {"mounted": false}}"#,
            r#"{"dataDisk": {"mounted": true}}"#,
        ] {
            assert!(!says_mounted(other), "{other}");
        }
    }
}
