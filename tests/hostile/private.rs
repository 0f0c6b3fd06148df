//! Files of ours are nobody else's: whatever the umask, and where they were once open to others.

use crate::stage::{Kind, Stage};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

/// Everything below a directory, itself included, that others could read, list or write.
fn open_to_others(dir: &Path) -> Vec<PathBuf> {
    let mut open = Vec::new();
    let found = fs::symlink_metadata(dir).unwrap();
    if found.mode() & 0o077 != 0 {
        open.push(dir.to_owned());
    }
    // What is in a directory that nobody else may enter is out of their reach.
    if found.is_dir() && found.mode() & 0o077 != 0 {
        open.extend(fs::read_dir(dir).unwrap().flat_map(|it| open_to_others(&it.unwrap().path())));
    }
    open
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|it| it.unwrap().path());
    entries.flat_map(|it| if it.is_dir() { [vec![it.clone()], files_below(&it)].concat() } else { vec![it] }).collect()
}

/// Even where whoever calls gives everything to everybody.
#[test]
fn nobody_else_may_read_what_we_keep() {
    for kind in [Kind::Local, Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        stage.write("present");
        let command = stage.command(&["apply", "pad.yaml", "--yes"]);
        let mut open = Command::new("sh");
        open.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args()).env_clear();
        open.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(stage.shop.path(""));
        assert_eq!(open.output().unwrap().status.code(), Some(0));
        let mut dirs = vec![stage.state()];
        dirs.extend(Some(stage.shop.path("data/cloudypad")).filter(|it| it.exists()));
        for dir in dirs {
            assert_eq!(open_to_others(&dir), [""; 0].map(PathBuf::from), "{kind:?}");
            assert!(!files_below(&dir).is_empty());
        }
        for secret in [stage.journal(), stage.lock()].iter().chain(Some(&stage.host_key()).filter(|_| kind != Kind::Local)) {
            assert_eq!(fs::metadata(secret).unwrap().mode() & 0o777, 0o600, "{}", secret.display());
        }
    }
}

/// What was open to others, from an earlier time or by another's hand, is closed by the next run that uses it.
#[test]
fn what_was_open_is_closed_by_the_next_run() {
    for kind in [Kind::Local, Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        stage.reach("present", "at first");
        for file in files_below(&stage.shop.path("state")).into_iter().chain(files_below(&stage.shop.path("data"))) {
            let mode = if file.is_dir() { 0o777 } else { 0o666 };
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        stage.reach("absent", "with all of it open");
        stage.reach("present", "with all of it open");
        let mut kept = vec![stage.journal(), stage.lock()];
        if kind == Kind::Local {
            kept.extend([stage.local_cloud().join("cloud.json"), stage.local_cloud().join("disks")]);
        } else {
            kept.push(stage.host_key());
        }
        for file in kept {
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o077, 0, "{kind:?}: {}", file.display());
            if kind != Kind::Local && file.is_file() {
                assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().mode() & 0o077, 0, "{kind:?}: {}", file.display());
            }
        }
    }
}
