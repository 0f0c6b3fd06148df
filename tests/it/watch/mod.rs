//! Kept as its files say: what is saved is done, what is broken is left, what was begun for an older wish ends where it is.

mod branch;
mod prefixes;

use crate::support::{
    shop::{SPEED, Shop, pad},
    teller::Teller,
};
use std::fs;

/// A shop on the local cloud whose directory `specs` is watched.
fn watched(shop: &Shop) -> Teller {
    Teller::of(&mut shop.command(&["watch", "specs"]))
}

/// Saves a spec as editors do.
pub fn save(shop: &Shop, name: &str, text: &str) {
    fs::create_dir_all(shop.path("specs")).unwrap();
    // As editors save: another file takes its place.
    shop.write(&format!("specs/.{name}.swp"), text);
    fs::rename(shop.path(&format!("specs/.{name}.swp")), shop.path(&format!("specs/{name}"))).unwrap();
}

/// What is saved is done; what is the same is not done again.
#[test]
fn what_is_saved_is_done() {
    let shop = Shop::new();
    save(&shop, "pad.yaml", &pad("present", ""));
    let mut watch = watched(&shop);
    watch.until("mypad: done: ");
    let calls = shop.calls();
    save(&shop, "pad.yaml", &format!("# Nothing else.\n{}", pad("present", "")));
    save(&shop, "pad.yaml", &pad("stopped", ""));
    watch.until("mypad: done: ");
    assert_eq!(shop.calls(), calls + 2, "one to stop it, one to say what was applied: {:#?}", watch.told);
    assert_eq!(watch.interrupt(), 130);
}

/// A file that is broken, or gone, holds its own instance where it is, and hurts no other.
#[test]
fn what_is_broken_or_gone_is_left_as_it_is() {
    let shop = Shop::new();
    let other = |state: &str| pad(state, "").replace("name: mypad", "name: other");
    save(&shop, "pad.yaml", &pad("present", ""));
    save(&shop, "other.yaml", &other("present"));
    let mut watch = watched(&shop);
    watch.until("done: ");
    watch.until("done: ");
    save(&shop, "pad.yaml", "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata: {name: mypad}\nspec: {serverState: abs");
    save(&shop, "other.yaml", &other("stopped"));
    watch.until("other: done: ");
    fs::remove_file(shop.path("specs/other.yaml")).unwrap();
    save(&shop, "pad.yaml", &pad("stopped", ""));
    watch.until("mypad: done: ");
    assert_eq!(watch.interrupt(), 130);
    let truth = shop.cloud().truth().unwrap();
    assert_eq!(truth.servers.len(), 2, "nothing that nobody describes is touched");
}

/// The beginning of a document is often a document: nothing is done before a file was left alone.
#[test]
fn the_beginning_of_a_file_is_not_taken_for_all_of_it() {
    let shop = Shop::new();
    save(&shop, "pad.yaml", &pad("present", "  protect: true\n"));
    let mut watch = watched(&shop);
    watch.until("done: ");
    let whole = pad("present", "  protect: false\n");
    let calls = shop.calls();
    for end in (whole.len() - 60)..whole.len() {
        shop.write("specs/pad.yaml", &whole[..end]);
    }
    save(&shop, "pad.yaml", &whole);
    watch.until("done: ");
    assert!(shop.calls() > calls, "protection is taken off the objects");
    let changes: Vec<&String> = watch.told.iter().filter(|it| it.contains("stop ") || it.contains("delete ")).collect();
    assert_eq!(changes.len(), 1, "only the first capture stops it: {changes:?}");
    assert_eq!(watch.interrupt(), 130);
}

/// Saved while an older wish is being carried out: that ends between two of its steps.
#[test]
fn a_newer_wish_ends_the_older_one() {
    let shop = Shop::new();
    // As slow as life: a server takes its time to boot.
    let slow = |state: &str| pad(state, "").replace(&format!("speed: {SPEED}"), "speed: 1");
    save(&shop, "pad.yaml", &slow("present"));
    let mut watch = watched(&shop);
    watch.until("until server mypad runs");
    save(&shop, "pad.yaml", &slow("absent"));
    watch.until("stopped between two steps");
    watch.until("tag ");
    assert!(!watch.told.iter().any(|it| it.contains("done: ")), "{:#?}", watch.told);
}

/// A copy of a spec that still has its name: nobody knows which of the two is meant, and nothing is done for either.
#[test]
fn what_is_described_twice_is_left_as_it_is() {
    let shop = Shop::new();
    save(&shop, "pad.yaml", &pad("present", ""));
    let mut watch = watched(&shop);
    watch.until("mypad: done: ");
    let calls = shop.calls();
    save(&shop, "a-copy.yaml", &pad("absent", "  dataDisk: {delete: true}\n").replace("  dataDisk:\n    sizeGb: 100\n", ""));
    let other = |state: &str| pad(state, "").replace("name: mypad", "name: other");
    save(&shop, "other.yaml", &other("absent"));
    watch.until("other: done: ");
    save(&shop, "a-copy.yaml", &other("absent").replace("name: other", "name: another"));
    watch.until("another: done: ");
    assert_eq!(shop.calls(), calls, "{:#?}", watch.told);
    assert_eq!(watch.interrupt(), 130);
}
