//! Others who have hands in the account: the guest, the vendor, somebody in the console. Each acts as that one would,
//! through the vendor's own API.

use crate::vendors::{SCALEWAY_ZONE, TAG};
use cloudypad::emulator::{
    Server, ServerState, Truth, VolumeState,
    face::{Body, Face, Request},
};
use serde_json::{Value, json};

/// Somebody else's deed.
pub struct Stranger {
    pub what: &'static str,
    /// Does it, where there is something to do it to.
    pub acts: fn(&Console) -> bool,
    /// Whether it may end bytes.
    pub destroys: bool,
}

/// The vendor's console.
pub struct Console<'c> {
    pub face: &'c Face,
    pub truth: Truth,
}

impl Console<'_> {
    /// Calls the API; whether it did as it was told.
    fn calls(&self, method: &str, path: &str, body: &Value) -> bool {
        let request = Request {
            method: method.to_owned(),
            path: path.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect(),
            query: Vec::new(),
            headers: [("authorization", "Bearer a-stranger"), ("x-auth-token", "a-stranger")]
                .map(|(name, key)| (name.into(), key.into()))
                .into(),
            body: body.to_string().into_bytes(),
        };
        let answer = self.face.answer(&request).answer;
        answer.is_some_and(|it| it.status < 300 && !matches!(it.body, Body::Refused(_)))
    }

    fn server(&self, is: impl Fn(&Server) -> bool) -> Option<&Server> {
        self.truth.servers.values().find(|it| is(it) && it.tags.iter().any(|tag| tag == TAG))
    }

    /// A power action at Scaleway on a server in one of these states.
    fn scaleway(&self, states: &[ServerState], action: &str) -> bool {
        let Some(server) = self.server(|it| states.contains(&it.state)) else { return false };
        self.calls("POST", &format!("instance/v1/zones/{SCALEWAY_ZONE}/servers/{}/action", server.id), &json!({"action": action}))
    }

    /// A power action at Linode on a server in one of these states.
    fn linode(&self, states: &[ServerState], action: &str) -> bool {
        let Some(server) = self.server(|it| states.contains(&it.state)) else { return false };
        self.calls("POST", &format!("v4/linode/instances/{}/{action}", server.id), &json!({}))
    }

    fn emulator(&self, what: &str) -> bool {
        let Some(server) = self.server(|it| it.state == ServerState::Running) else { return false };
        self.calls("POST", &format!("_emulator/{what}"), &json!({"server": server.id}))
    }

    /// A volume of ours with this role in one of these states.
    fn volume(&self, role: &str, states: &[VolumeState]) -> Option<&str> {
        let ours = |tags: &[String]| tags.iter().any(|it| it == TAG) && tags.iter().any(|it| it == role);
        self.truth.volumes.values().find(|it| ours(&it.tags) && states.contains(&it.state)).map(|it| it.id.as_str())
    }
}

const ON: &[ServerState] = &[ServerState::Running];
const OFF: &[ServerState] = &[ServerState::Stopped];

const GUEST_SHUTDOWN: Stranger = Stranger { what: "guest-shutdown", acts: |it| it.emulator("guest-shutdown"), destroys: false };

/// Those at Scaleway.
pub static SCALEWAY: &[Stranger] = &[
    GUEST_SHUTDOWN,
    Stranger { what: "console-poweroff", acts: |it| it.scaleway(ON, "poweroff"), destroys: false },
    Stranger { what: "console-poweron", acts: |it| it.scaleway(OFF, "poweron"), destroys: false },
    Stranger { what: "console-reboot", acts: |it| it.scaleway(ON, "reboot"), destroys: false },
    Stranger { what: "console-standby", acts: |it| it.scaleway(ON, "stop_in_place"), destroys: false },
    Stranger {
        what: "console-detach",
        acts: |it| {
            let held = it.truth.volumes.values().find(|it| it.server.is_some() && it.tags.iter().any(|tag| tag == "role:data"));
            let Some((volume, server)) = held.and_then(|it| Some((&it.id, it.server.as_ref()?))) else { return false };
            let path = format!("instance/v1/zones/{SCALEWAY_ZONE}/servers/{server}/detach-volume");
            it.calls("POST", &path, &json!({"volume_id": volume}))
        },
        destroys: false,
    },
    // Somebody wants to play while it is being archived.
    Stranger {
        what: "console-play",
        acts: |it| {
            let Some(server) = it.server(|it| it.state == ServerState::Stopped) else { return false };
            let server = format!("instance/v1/zones/{SCALEWAY_ZONE}/servers/{}", server.id);
            for role in ["role:root", "role:data"] {
                let Some(volume) = it.volume(role, &[VolumeState::Available]) else { continue };
                it.calls("POST", &format!("{server}/attach-volume"), &json!({"volume_id": volume, "volume_type": "sbs_volume"}));
            }
            it.calls("POST", &format!("{server}/action"), &json!({"action": "poweron"}))
        },
        destroys: false,
    },
    Stranger {
        what: "console-delete-server",
        acts: |it| {
            let off = it.server(|it| it.state == ServerState::Stopped).map(|it| it.id.clone());
            match off {
                Some(server) => it.calls("DELETE", &format!("instance/v1/zones/{SCALEWAY_ZONE}/servers/{server}"), &json!({})),
                None => it.scaleway(ON, "terminate"),
            }
        },
        destroys: true,
    },
    Stranger {
        what: "console-delete-volume",
        acts: |it| {
            let Some(volume) = it.volume("role:data", &[VolumeState::Available]) else { return false };
            it.calls("DELETE", &format!("block/v1/zones/{SCALEWAY_ZONE}/volumes/{volume}"), &json!({}))
        },
        destroys: true,
    },
];

/// Those at Linode.
pub static LINODE: &[Stranger] = &[
    GUEST_SHUTDOWN,
    Stranger { what: "host-reboot", acts: |it| it.emulator("host-reboot"), destroys: false },
    // With the watchdog on, a guest that shut itself down is booted again.
    Stranger {
        what: "watchdog",
        acts: |it| {
            let Some(server) = it.server(|it| it.state == ServerState::Running) else { return false };
            it.calls("PUT", &format!("v4/linode/instances/{}", server.id), &json!({"watchdog_enabled": true}));
            it.emulator("guest-shutdown")
        },
        destroys: false,
    },
    Stranger { what: "console-shutdown", acts: |it| it.linode(ON, "shutdown"), destroys: false },
    // Also while it is being archived: somebody wants to play.
    Stranger { what: "console-boot", acts: |it| it.linode(OFF, "boot"), destroys: false },
    Stranger { what: "console-reboot", acts: |it| it.linode(ON, "reboot"), destroys: false },
    Stranger {
        what: "console-detach",
        acts: |it| {
            let Some(volume) = it.volume("role:data", &[VolumeState::InUse]) else { return false };
            it.calls("POST", &format!("v4/volumes/{volume}/detach"), &json!({}))
        },
        destroys: false,
    },
    Stranger {
        what: "console-delete-server",
        acts: |it| {
            let Some(server) = it.server(|_| true) else { return false };
            it.calls("DELETE", &format!("v4/linode/instances/{}", server.id), &json!({}))
        },
        destroys: true,
    },
    Stranger {
        what: "console-delete-volume",
        acts: |it| {
            let Some(volume) = it.volume("role:data", &[VolumeState::Available]) else { return false };
            it.calls("DELETE", &format!("v4/volumes/{volume}"), &json!({}))
        },
        destroys: true,
    },
];
