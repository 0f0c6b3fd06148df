//! Whose account: the environment and the configuration file of Scaleway's own tools, with their precedence.

use crate::support::{
    face::Face,
    scaleway::{PROJECT, SCALEWAY, pad},
    shop::{Ran, Shop},
};

const RIGHT: &str = "00000000-0000-4000-8000-000000000001";
const WRONG: &str = "00000000-0000-4000-8000-000000000002";

struct Case {
    what: &'static str,
    /// The configuration file; RIGHT, WRONG and PROJECT stand for what they say.
    config: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// Below `scaleway:` in the spec.
    spec: &'static str,
}

const CASES: &[Case] = &[
    Case {
        what: "the environment goes before the file",
        config: "secret_key: WRONG",
        environment: &[("SCW_SECRET_KEY", RIGHT)],
        spec: "projectId: PROJECT, zone: fr-par-2",
    },
    Case { what: "the top of the file", config: "secret_key: RIGHT", environment: &[], spec: "projectId: PROJECT, zone: fr-par-2" },
    Case {
        what: "the active profile goes before the top",
        config: "secret_key: WRONG\nactive_profile: a\nprofiles:\n  a: {secret_key: RIGHT}",
        environment: &[],
        spec: "projectId: PROJECT, zone: fr-par-2",
    },
    Case {
        what: "SCW_PROFILE goes before the active profile",
        config: "active_profile: a\nprofiles:\n  a: {secret_key: WRONG}\n  b: {secret_key: RIGHT}",
        environment: &[("SCW_PROFILE", "b")],
        spec: "projectId: PROJECT, zone: fr-par-2",
    },
    Case {
        what: "a profile inherits what it does not say from the top",
        config: "secret_key: RIGHT\ndefault_project_id: PROJECT\nprofiles:\n  a: {default_zone: fr-par-2}",
        environment: &[("SCW_PROFILE", "a")],
        spec: "",
    },
    Case {
        what: "the environment's zone and project",
        config: "secret_key: RIGHT\ndefault_zone: xx-yyy-1",
        environment: &[("SCW_DEFAULT_ZONE", "fr-par-2"), ("SCW_DEFAULT_PROJECT_ID", PROJECT)],
        spec: "",
    },
    Case {
        what: "a spec's profile goes before a key in the environment",
        config: "profiles:\n  a: {secret_key: RIGHT, default_project_id: PROJECT, default_zone: fr-par-2}",
        environment: &[("SCW_SECRET_KEY", WRONG)],
        spec: "credentials: {profile: a}",
    },
    Case {
        what: "a spec's variable goes before everything, and the profile gives the rest",
        config: "secret_key: WRONG\nprofiles:\n  a: {secret_key: WRONG, default_project_id: PROJECT, default_zone: fr-par-2}",
        environment: &[("SCW_SECRET_KEY", WRONG), ("GAMING_KEY", RIGHT), ("SCW_PROFILE", "a")],
        spec: "credentials: {env: GAMING_KEY}",
    },
];

fn plan(shop: &Shop, face: &Face, environment: &[(&str, &str)]) -> Ran {
    let mut command = shop.command(&["plan", "pad.yaml"]);
    command.env("SCW_API_URL", face.url()).env("CLOUDYPAD_CLOUD_SPEED", "2000").env("SCW_CONFIG_PATH", shop.path("scw.yaml"));
    Ran::from(command.envs(environment.iter().copied()).output().unwrap())
}

fn fill(text: &str) -> String {
    text.replace("RIGHT", RIGHT).replace("WRONG", WRONG).replace("PROJECT", PROJECT)
}

#[test]
fn settings_are_found_as_scaleways_own_tools_find_them() {
    for case in CASES {
        let shop = Shop::new();
        let face = Face::start_demanding(&SCALEWAY, &shop, RIGHT);
        shop.write("scw.yaml", &fill(case.config));
        let head = "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata: {name: mypad}\n";
        let more = if case.spec.is_empty() { String::new() } else { format!(", {}", fill(case.spec)) };
        let spec = format!("spec:\n  serverState: absent\n  provider:\n    scaleway: {{instanceType: L4-1-24G{more}}}\n");
        shop.write("pad.yaml", &format!("{head}{spec}"));
        let ran = plan(&shop, &face, case.environment);
        assert_eq!(ran.code, 0, "{}: {}{}", case.what, ran.out, ran.err);
    }
}

#[test]
fn a_file_that_cannot_be_used_is_told_without_its_secrets() {
    let shop = Shop::new();
    let face = Face::start_demanding(&SCALEWAY, &shop, RIGHT);
    shop.write("pad.yaml", &pad("absent", ""));
    let ran = plan(&shop, &face, &[]);
    assert!(ran.code == 1 && ran.err.contains("SCW_CONFIG_PATH names"), "{}", ran.err);
    assert_eq!(plan(&shop, &face, &[("SCW_SECRET_KEY", RIGHT)]).code, 0, "a key in the environment is enough");
    shop.write("scw.yaml", &format!("profiles: [secret_key: {RIGHT}\n"));
    let ran = plan(&shop, &face, &[]);
    assert!(ran.code == 1 && ran.err.contains("is not a configuration file") && !ran.err.contains(RIGHT), "{}", ran.err);
    shop.write("scw.yaml", &format!("secret_key: \"{RIGHT}\\n\\u0001\"\n"));
    let ran = plan(&shop, &face, &[]);
    assert!(ran.code == 1 && ran.err.contains("characters that no key has") && !ran.err.contains(RIGHT), "{}", ran.err);
    let mut command = shop.command(&["plan", "pad.yaml"]);
    let ran = Ran::from(command.env("SCW_SECRET_KEY", RIGHT).env("CLOUDYPAD_CLOUD_SPEED", "60").output().unwrap());
    assert!(ran.code == 1 && ran.err.contains("CLOUDYPAD_CLOUD_SPEED is for emulators"), "{}", ran.err);
}
