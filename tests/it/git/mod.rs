//! A branch of a Git repository as the source of specs, with real repositories and the real `git`.
//!
//! `following`: what is pushed is laid out; `troubles`: whatever goes wrong, the last good checkout is as good as before;
//! `mirror`: what is ours may be lost, broken, or wanted by two at once.

mod following;
mod mirror;
mod troubles;

use crate::support::forge::Forge;
use cloudypad::{
    read,
    source::{Access, Checkout, Git, Manner, Source, Trouble},
    store::Home,
};
use std::{path::PathBuf, time::Duration};
use tokio::sync::watch;

/// How long a fetch that is to succeed may take, on any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The specs of an address, kept in the forge's own directory.
fn source(forge: &Forge, address: &str, patience: Duration, access: Option<Access>) -> Git {
    // Nobody tells it to stop.
    let stop = watch::channel(false).1;
    stopped_by(forge, address, Manner { patience, access, stop })
}

fn stopped_by(forge: &Forge, address: &str, manner: Manner) -> Git {
    let Source::Git(place) = Source::read(&[PathBuf::from(address)], Some("main"), Some("specs")).unwrap() else { unreachable!() };
    Git::open(&Home::at(&forge.shop.path("home")), place, manner).unwrap()
}

/// The specs in the repository, by its path.
fn by_path(forge: &Forge) -> Git {
    source(forge, forge.bare().to_str().unwrap(), PATIENCE, None)
}

/// Which instances a checkout describes.
fn names(checkout: &Checkout) -> Vec<String> {
    let reading = read::read(std::slice::from_ref(&checkout.directory));
    assert!(reading.problems.is_empty(), "{}", reading.problems[0]);
    reading.specs.iter().map(|it| it.instance.metadata.name.clone()).collect()
}

/// The next fetch fails in this way, and what was there before is there still.
async fn fails(git: &mut Git, word: &str) -> Trouble {
    let before = git.last().await.unwrap().map(|it| (it.commit.clone(), it.directory.clone()));
    let trouble = git.fetch().await.expect_err("it should be troubled");
    assert_eq!(trouble.word(), word, "{trouble}");
    let after = git.last().await.unwrap();
    assert_eq!(before, after.as_ref().map(|it| (it.commit.clone(), it.directory.clone())), "{trouble}");
    if let Some(after) = after {
        assert!(!names(&after).is_empty(), "{trouble}");
    }
    trouble
}
