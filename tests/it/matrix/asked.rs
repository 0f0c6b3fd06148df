//! What is asked of cloudypad.

/// The scene where something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// There is nothing yet.
    Nothing,
    /// A server that came back from the archive runs: there are disks, and older copies of them.
    Present,
    /// The same server, off.
    Stopped,
    /// There is no server.
    Archived,
}

/// One thing to ask.
#[derive(Debug)]
pub struct Asked {
    pub name: &'static str,
    pub scene: Scene,
    /// What the spec's `serverState` says.
    pub state: &'static str,
    /// Whether the spec wants larger disks and another type, too.
    pub larger: bool,
    /// Whether it has a configuration that is to run now; where there is a machine that it can run on.
    pub configures: bool,
    pub command: &'static [&'static str],
}

impl Asked {
    /// Whether the owner lets go of every byte.
    pub fn destroys(&self) -> bool {
        self.command.contains(&"--destroy-data")
    }
}

const APPLY: &[&str] = &["apply", "pad.yaml", "--yes"];

const fn apply(name: &'static str, scene: Scene, state: &'static str) -> Asked {
    Asked { name, scene, state, larger: false, configures: false, command: APPLY }
}

/// Everything that is asked. Where nothing configures, a server is configured by a tag once it has run, in the first create.
pub static ASKED: &[Asked] = &[
    apply("create", Scene::Nothing, "present"),
    Asked { name: "configure", scene: Scene::Present, state: "present", larger: false, configures: true, command: APPLY },
    apply("stop", Scene::Present, "stopped"),
    apply("start", Scene::Stopped, "present"),
    apply("archive", Scene::Present, "absent"),
    apply("present", Scene::Archived, "present"),
    Asked { name: "resize", scene: Scene::Present, state: "present", larger: true, configures: false, command: APPLY },
    Asked {
        name: "delete",
        scene: Scene::Present,
        state: "present",
        larger: false,
        configures: false,
        command: &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"],
    },
    Asked {
        name: "delete, keep snapshots",
        scene: Scene::Present,
        state: "present",
        larger: false,
        configures: false,
        command: &["delete", "pad.yaml", "--yes", "--keep-snapshots"],
    },
];
