//! Errors that people meet, word by word: what happened, what exists now and is billed, what to do.

use crate::support::{
    face::Face,
    scaleway::{SCALEWAY, SECRET, pad},
    shop::{Ran, Shop},
};
use serde_json::json;
use std::{fmt::Write, fs, path::Path};

/// What a story prints, without what differs from run to run.
fn told(ran: &Ran, face: &Face) -> String {
    let text = format!("{}{}", ran.out, ran.err).replace(&face.url(), "URL");
    let mut plain = String::new();
    for word in text.split_inclusive([' ', '\n', '(', ')', ',', ';', ':']) {
        let bare = word.trim_end_matches([' ', '\n', '(', ')', ',', ';', ':']);
        let is_id = bare.len() == 36 && bare.matches('-').count() == 4;
        let is_address = bare.split('.').count() == 4 && bare.split('.').all(|it| it.parse::<u8>().is_ok());
        match () {
            () if is_id => plain.push_str(&word.replace(bare, "ID")),
            () if is_address => plain.push_str(&word.replace(bare, "ADDRESS")),
            () => plain.push_str(word),
        }
    }
    plain
}

/// A story: its title, the spec, what is armed, what goes wrong.
type Story = (&'static str, String, Vec<(&'static str, &'static str, u32, u32)>);

#[test]
fn errors_say_what_is_and_what_to_do() {
    let present = || pad("present", "");
    let stories: Vec<Story> = vec![
        ("the key may not create servers", present(), vec![("POST /instance/v1/zones/{zone}/servers", "denied", 1, 0)]),
        ("the key may not look at volumes", present(), vec![("GET /block/v1/zones/{zone}/volumes", "denied", 99, 0)]),
        ("a quota of addresses", present(), vec![("POST /instance/v1/zones/{zone}/ips", "quota", 1, 0)]),
        ("out of stock at birth", present(), vec![("POST /instance/v1/zones/{zone}/servers", "out-of-stock", 1, 0)]),
        ("out of stock at power-on", present(), vec![("POST /instance/v1/zones/{zone}/servers/{id}/action poweron", "out-of-stock", 9, 0)]),
        ("an unknown zone", present().replace("fr-par-2", "fr-par-9"), vec![]),
        ("an unknown type", present().replace("L4-1-24G", "L5-1-24G"), vec![]),
        ("an unknown image", present().replace("      zone:", "      image: amiga_os\n      zone:"), vec![]),
        ("an image that does not run on the type", present().replace("L4-1-24G", "COPARM1-2C-8G"), vec![]),
    ];
    let mut text = String::new();
    for (title, spec, faults) in stories {
        let shop = Shop::new();
        let face = Face::scaleway(&shop);
        shop.write("pad.yaml", &spec);
        for (operation, what, times, skip) in faults {
            face.arm(operation, what, times, skip);
        }
        let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
        let told = told(&ran, &face);
        let tail = told.lines().skip_while(|it| !it.contains("held") && !it.contains("billed now")).collect::<Vec<_>>().join("\n");
        assert!(tail.contains("you can: "), "{title}: {told}");
        writeln!(text, "=== {title}\n{tail}\n").unwrap();
    }
    for (title, secret, config) in [
        ("no credentials", None, None),
        ("an access key in place of the secret key", Some("SCWABCDEFGHIJKLMNOPQ"), None),
        ("a profile that is not there", Some(SECRET), Some("      credentials:\n        profile: gaming\n")),
        ("a variable that is not set", Some(SECRET), Some("      credentials:\n        env: GAMING_KEY\n")),
    ] {
        let shop = Shop::new();
        let spec = present().replace("      zone:", &format!("{}      zone:", config.unwrap_or_default()));
        shop.write("pad.yaml", &spec);
        let mut command = shop.command(&["plan", "pad.yaml"]);
        command.env("HOME", "/nonexistent");
        if let Some(secret) = secret {
            command.env("SCW_SECRET_KEY", secret);
        }
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 1, "{title}: {}", ran.err);
        writeln!(text, "=== {title}\n{}", ran.err).unwrap();
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/scaleway-errors.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&golden, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&golden).unwrap_or_default(), "run with BLESS=1 to accept");
}

/// A key that is not accepted: the look says so at once, is not tried again, and nothing is called.
#[test]
fn a_key_that_is_not_accepted_is_told_at_once() {
    let shop = Shop::new();
    let face = Face::start_demanding(&SCALEWAY, &shop, "another-key");
    shop.write("pad.yaml", &pad("present", ""));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("held Denied") && ran.out.contains("the environment variable SCW_SECRET_KEY"), "{}", ran.out);
    assert!(!format!("{}{}", ran.out, ran.err).contains(SECRET));
    assert!(face.log().iter().all(|it| it.method == "GET" && it.status == 401));
}

/// Without a machine today, perhaps in a while: the owner may wait.
#[test]
fn waiting_for_stock_goes_on_when_there_is_some() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    shop.write("pad.yaml", &pad("present", ""));
    face.arm("POST /instance/v1/zones/{zone}/servers/{id}/action poweron", "out-of-stock", 3, 0);
    let ran = face.expect(&shop, 0, &["apply", "pad.yaml", "--yes", "--wait-for-stock", "30m"]);
    assert!(ran.out.contains("tried again after a while: --wait-for-stock"), "{}", ran.out);
    // And where nobody waits, the machine is asked for twice at most, and what is there stays.
    face.apply(&shop, &pad("stopped", ""));
    face.post("/_emulator/settings", json!({"stock": {"fr-par-2/L4-1-24G": "shortage"}}));
    shop.write("pad.yaml", &pad("present", ""));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("held: no machine is free"), "{}", ran.out);
    assert!(ran.out.contains("L4-1-24G is free in fr-par-1"), "{}", ran.out);
    assert!(ran.out.contains("billed now: "), "{}", ran.out);
    face.post("/_emulator/settings", json!({"stock": {"fr-par-2/L4-1-24G": "available"}}));
    face.apply(&shop, &pad("present", ""));
}

/// Secrets appear nowhere: not in the log at its loudest, not in errors, plans or the journal.
#[test]
fn secrets_appear_nowhere() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    shop.write("pad.yaml", &pad("present", ""));
    let mut command = face.command(&shop, &["-vv", "apply", "pad.yaml", "--yes"]);
    let ran = Ran::from(command.env("CLOUDYPAD_LOG", "trace").output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("answered"), "the log is there: {}", ran.err);
    let host_key = fs::read_to_string(shop.path("home/host-keys/default.mypad")).unwrap();
    let host_key = host_key.lines().nth(2).unwrap();
    let journal = shop.read("home/journal/default.mypad.jsonl");
    for secret in [SECRET, host_key] {
        for (what, text) in [("output", &ran.out), ("log", &ran.err), ("journal", &journal)] {
            assert!(!text.contains(secret), "{what} holds {secret}");
        }
    }
    let described = face.expect(&shop, 0, &["describe", "pad.yaml", "-o", "json"]);
    assert!(!described.out.contains(SECRET) && !described.out.contains(host_key));
}
