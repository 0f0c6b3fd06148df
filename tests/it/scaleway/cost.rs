//! How few requests a plan takes.

use crate::support::{
    face::{Entry, Face},
    scaleway::{PROJECT, pad},
    shop::Shop,
};

fn plan_costs(shop: &Shop, face: &Face, args: &[&str], code: i32) -> Vec<Entry> {
    face.expect(shop, code, args);
    face.log();
    face.expect(shop, code, args);
    let log = face.log();
    assert!(log.iter().all(|it| !it.changes()), "{log:#?}");
    log
}

#[test]
fn a_plan_of_one_instance_takes_at_most_seven_reads() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    for state in ["present", "stopped", "absent"] {
        face.apply(&shop, &pad(state, ""));
        let log = plan_costs(&shop, &face, &["plan", "pad.yaml", "--detailed-exitcode"], 0);
        assert!(log.len() <= 7, "{state}: {:#?}", log.iter().map(Entry::brief).collect::<Vec<_>>());
    }
    let named = pad("present", "  network:\n    dns: {zone: example.com, record: mypad}\n");
    face.apply(&shop, &named);
    let log = plan_costs(&shop, &face, &["plan", "pad.yaml", "--detailed-exitcode"], 0);
    assert!(log.len() <= 8, "{:#?}", log.iter().map(Entry::brief).collect::<Vec<_>>());
}

#[test]
fn a_plan_of_a_hundred_instances_takes_at_most_twelve_reads() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    for number in 0..100 {
        let spec = format!(
            "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata:\n  name: pad-{number}\nspec:\n  serverState: stopped\n  \
             provider:\n    scaleway:\n      projectId: {PROJECT}\n      zone: fr-par-2\n      instanceType: L4-1-24G\n  dataDisk:\n    \
             sizeGb: 10\n"
        );
        shop.write(&format!("specs/pad-{number}.yaml"), &spec);
    }
    face.expect(&shop, 0, &["apply", "specs", "--yes"]);
    let log = plan_costs(&shop, &face, &["plan", "specs", "--detailed-exitcode"], 0);
    assert!(log.len() <= 12, "{}: {:#?}", log.len(), log.iter().map(Entry::brief).collect::<Vec<_>>());
}
