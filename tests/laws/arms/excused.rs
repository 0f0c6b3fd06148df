//! Arms that are not seen to be met: those that no situation can meet, each with the proof that it cannot, and those that do
//! nothing, so that nothing of them is in the binary to be seen, each with a golden plan, which is a story too, that meets it.

/// File, arm as it is told, proof.
pub const UNMET: &[(&str, &str, &str)] = &[
    (
        "audit.rs",
        "let_go: match role { None }",
        "a disk without a role is held (TagsDamaged) once no server holds it, and none is deleted before: scene.rs, role_of",
    ),
    (
        "audit.rs",
        "volume_would_be_lost: match volume.last_held { LastHeld::Untold }",
        "an objection, and the planner gives no cause for it: it takes a disk whose last use is not told for neither covered nor unused \
         (model/witness.rs). That the audit speaks up: tests/it/audit.rs",
    ),
    ("building.rs", "grow: match volume.status { _ }", "what is left is broken, unknown or on its way out: scene.rs, sort_volumes"),
    ("imagine.rs", "list: match seen { Seen::Absent | Seen::Unknown(_) }", "the line before makes it present"),
    ("line.rs", "describe: match scene.world.server(id) { None }", "every server that a step names is of this look: scene.rs"),
    ("line.rs", "describe: match scene.server.map(|it| &it.root) { _ }", "Quiet::local is of a server with a local root: model/witness.rs"),
    ("line.rs", "old_copy: match role { None }", "a copy without a role is held (TagsDamaged): scene.rs, check_copies"),
    ("line.rs", "tagged: match scene.world.server(id) { None }", "every server that is tagged is of this look: scene.rs"),
    ("line.rs", "tagged: match scene.world.volume(id) { None }", "every disk that is tagged is of this look: scene.rs"),
    (
        "retiring.rs",
        "spare_local: match fate { Fate::Keep }",
        "a root is local only where it dies with its server, and there it is kept by nobody: root_fate holds (RootWouldDie), and a husk \
         has none",
    ),
    (
        "retiring.rs",
        "capture_while_off: match scene.root { None }",
        "settle_off asks before whether the server is complete: without its root volume it is held (DiskGone, building.rs), and a \
         local root is captured as an image",
    ),
];

/// File, arm as it is told, golden plan that meets it.
pub const SILENT: &[(&str, &str, &str)] = &[
    ("audit.rs", "audit: match step { _ }", "stop"),
    ("building.rs", "data_volume: match source(draft, Role::Data, wants)? { None }", "return-while-copies-are-made"),
    ("building.rs", "note_address: match scene.address { _ }", "name-numbered"),
    ("building.rs", "complete_root: match (&server.root, draft.scene.root) { (Root::Local { .. }, _) }", "attach-linode"),
    ("deleted.rs", "delete_copies: match copy.status() { CopyStatus::Deleting }", "delete-while-a-copy-goes"),
    ("imagine.rs", "list: match seen { Seen::Present(items) }", "create-first"),
    ("imagine.rs", "arrive: match effect { Effect::Nothing | Effect::Played(_) }", "create-first"),
    (
        "retiring.rs",
        "take_server: match server.power { Power::Running | Power::StoppedInPlace | Power::Busy if !fates.any_copy() && *reason == \
         Reason::Deletion }",
        "delete-all",
    ),
    ("retiring.rs", "take_server: match server.power { _ }", "archive-with-a-strangers-volume"),
    (
        "scene.rs",
        "sort_volumes: match &volume.status { VolumeStatus::Error if self.ask.deletion.is_some_and(|it| !it.keep_snapshots) }",
        "delete-broken-disk",
    ),
    ("scene.rs", "sort_volumes: match &volume.status { VolumeStatus::Deleting }", "disk-on-its-way-out"),
    (
        "scene.rs",
        "sort_volumes: match &volume.status { VolumeStatus::Creating | VolumeStatus::Available | VolumeStatus::InUse | \
         VolumeStatus::Detaching | VolumeStatus::Busy }",
        "archive-refresh",
    ),
    (
        "upkeep.rs",
        "drop_spare_machines: match draft.scene.spare_volumes.iter().copied().find(|it| of(it)) { Some(_) }",
        "spare-server-has-lost-its-disk",
    ),
    ("upkeep.rs", "delete_data: match copy.status() { CopyStatus::Creating | CopyStatus::Deleting }", "data-delete-while-a-copy-goes"),
];
