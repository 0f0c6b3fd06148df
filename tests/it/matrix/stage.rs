//! Where a cell is played: a shop of its own with a cloud of its own, copied from a scene that was prepared once.

use super::{
    asked::{Asked, Scene},
    ground::Ground,
    standing::{self, DATA, ROOT},
};
use crate::support::{
    face::{self, Face},
    scene,
    shop::{Ran, Shop, write_at},
    sshd::SshServer,
};
use cloudypad::emulator::{Clock, Cloud, Imitate, Settings};
use serde_json::Value;
use std::{path::PathBuf, process::Command};

/// The scenes of a cloud.
pub struct Scenes {
    ground: &'static Ground,
    scenes: Vec<(Scene, Shop)>,
}

impl Scenes {
    /// The first scene alone: there is nothing yet.
    pub fn of_nothing(ground: &'static Ground) -> Self {
        Self { ground, scenes: vec![(Scene::Nothing, Shop::new())] }
    }

    /// Lives through every scene once, and keeps a copy of each.
    pub fn prepare(ground: &'static Ground) -> Self {
        let mut scenes = Self::of_nothing(ground).scenes;
        let mut shop = Shop::new();
        let first =
            [("present", None), ("absent", Some(Scene::Archived)), ("present", Some(Scene::Present)), ("stopped", Some(Scene::Stopped))];
        for (number, (state, scene)) in first.into_iter().enumerate() {
            let stage = Stage::open(ground, shop, face::SPEED);
            stage.write(state, false);
            let ran = stage.run(&["apply", "pad.yaml", "--yes"]);
            assert_eq!(ran.code, 0, "{}: {state}\n{}\n{}", ground.name, ran.out, ran.err);
            if number == 0 {
                stage.save_a_game();
            }
            shop = stage.close();
            scenes.extend(scene.map(|scene| (scene, shop.copy())));
        }
        Self { ground, scenes }
    }

    /// A stage with the scene where something is asked, and the wish written down.
    pub fn set(&self, asked: &Asked) -> Stage {
        self.set_at(asked, face::SPEED)
    }

    /// One whose clock goes at this speed, where it has a vendor's.
    pub fn set_at(&self, asked: &Asked, speed: &'static str) -> Stage {
        let (_, shop) = self.scenes.iter().find(|it| it.0 == asked.scene).unwrap();
        let mut stage = Stage::open(self.ground, shop.copy(), speed);
        stage.written_before = std::fs::metadata(stage.journal()).map_or(0, |it| it.len() as usize);
        stage.made_before = stage.made_ever();
        stage.write(asked.state, asked.larger);
        if asked.configures {
            stage.open_a_machine();
        }
        stage
    }
}

/// A shop and its cloud.
pub struct Stage {
    pub ground: &'static Ground,
    // Ends before its directory goes.
    pub face: Option<Face>,
    /// What answers at the machine's SSH port, where something is to run there.
    machine: Option<SshServer>,
    pub shop: Shop,
    /// How long the journal was when the scene was set.
    pub written_before: usize,
    /// How many calls had changed something by then.
    made_before: usize,
}

impl Stage {
    fn open(ground: &'static Ground, shop: Shop, speed: &'static str) -> Self {
        let face = ground.vendor.map(|vendor| Face::start_at(vendor, &shop, speed, &[]));
        Self { ground, face, machine: None, shop, written_before: 0, made_before: 0 }
    }

    fn close(self) -> Shop {
        let Self { face, shop, .. } = self;
        drop(face);
        shop
    }

    fn write(&self, state: &str, larger: bool) {
        self.shop.write("pad.yaml", &self.ground.spec(state, larger));
    }

    /// Has the spec configure the machine, and a real SSH server stand for it.
    fn open_a_machine(&mut self) {
        let (machine, settings) = scene::open_machine(&self.shop);
        self.machine = Some(machine);
        for script in ["once.sh", "start.sh"] {
            self.shop.write(script, "#!/bin/sh\necho it runs\n");
        }
        let spec = std::fs::read_to_string(self.shop.path("pad.yaml")).unwrap();
        let configuration = "  configuration:\n    script: once.sh\n    onStart: {script: start.sh}\n    when: now\n    readyPort: none\n";
        self.shop.write("pad.yaml", &format!("{spec}{settings}{configuration}"));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match &self.face {
            Some(face) => face.command(&self.shop, args),
            None => self.shop.command(args),
        };
        if self.machine.is_some() {
            command.env("PATH", scene::path_with(&self.shop));
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    pub fn journal(&self) -> PathBuf {
        self.shop.path("home/journal/default.mypad.jsonl")
    }

    /// A guest writes to both of its disks.
    fn save_a_game(&self) {
        let (root, data) = standing::used(&self.truth());
        for (disk, game) in [(root, ROOT), (data, DATA)] {
            write_at(&self.disks().join(format!("{disk}.img")), standing::OFFSET, game);
        }
    }

    pub fn disks(&self) -> PathBuf {
        self.shop.path(self.ground.data).join("disks")
    }

    /// The local cloud, past all of cloudypad; none where that is not played on, or nothing was ever asked of it.
    fn local(&self) -> Option<Cloud> {
        let data = self.shop.path(self.ground.data);
        let imitate = if self.ground.data.ends_with("linode") { Imitate::LocalDisks } else { Imitate::Volumes };
        (self.face.is_none() && data.exists()).then(|| Cloud::open(data, Settings { imitate, clock: Clock::AsIs }).unwrap())
    }

    /// Everything the cloud holds.
    pub fn truth(&self) -> Value {
        match &self.face {
            Some(face) => face.get("/_emulator/truth"),
            None => self.local().map_or(Value::Null, |it| serde_json::to_value(it.truth().unwrap()).unwrap()),
        }
    }

    /// What nobody's living instance owns, and how many bytes of the past are nowhere any more.
    pub fn judge(&self, living: &[&str]) -> (Vec<String>, usize) {
        match (&self.face, self.local()) {
            (Some(face), _) => {
                let (leaks, losses) = face.judge(living);
                (leaks, losses.len())
            }
            (None, Some(cloud)) => (cloud.leaks(living).unwrap(), cloud.ledger().unwrap().losses.len()),
            (None, None) => (Vec::new(), 0),
        }
    }

    /// The calls since this was last asked that changed something, as faults know them; the local cloud keeps no log.
    pub fn changes(&self) -> Vec<String> {
        match &self.face {
            Some(face) => face.log().into_iter().filter(|it| it.changes()).map(|it| it.operation).collect(),
            None => Vec::new(),
        }
    }

    /// How many calls were made since the scene was set, or since [`Self::changes`] was asked at a vendor.
    pub fn made(&self) -> usize {
        self.made_ever() - self.made_before
    }

    fn made_ever(&self) -> usize {
        match &self.face {
            Some(face) => face.changes_so_far(),
            None => self.local().map_or(0, |it| it.ledger().unwrap().calls.values().sum::<u64>() as usize),
        }
    }
}
