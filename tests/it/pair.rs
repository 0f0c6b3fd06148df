//! `cloudypad pair`: the PIN that Moonlight shows goes to Sunshine's page, which answers to the machine itself only. The way
//! there is a real SSH connection to a machine whose host key is checked; the page is a real HTTPS server with a certificate
//! that nobody vouches for, as Sunshine makes it.

use crate::support::{
    linode::LINODE,
    scaleway::SCALEWAY,
    scene::Scene,
    shop::Ran,
    sshd::SshServer,
    sunshine::{Heard, Manner, PASSWORD, PIN, Sunshine, USER},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rustix::process::{Pid, Signal, kill_process};
use std::{fs, io::Write, net::TcpListener, process::Command};

/// The variable that holds the password of Sunshine's page, for the playbook and for `pair`.
const VARIABLE: &str = "PAGE_PASSWORD";

/// What a spec says of the page.
const SAID_BY_THE_SPEC: &str = "secrets: {sunshine_password: {env: PAGE_PASSWORD}}, variables: {sunshine_user: player}";

/// A machine that runs. What configures it names Sunshine's user and where the password is, as a gaming machine's spec does.
fn gaming() -> Option<Scene> {
    let scene = Scene::at(&SCALEWAY)?;
    scene.wish("present");
    scene.apply();
    write_wish(&scene, "present", SAID_BY_THE_SPEC);
    Some(scene)
}

fn write_wish(scene: &Scene, state: &str, about_the_page: &str) {
    scene.shop.write("gaming.yml", "- hosts: all\n");
    scene.wish_for(state, &format!("    ansible: {{playbook: gaming.yml, {about_the_page}}}\n    readyPort: none\n"));
}

fn pairing(scene: &Scene, port: u16, more: &[&str]) -> Command {
    let port = port.to_string();
    let mut command = scene.command(&[&["pair", "mypad", "-f", "pad.yaml", "--port", &port], more].concat());
    command.env(VARIABLE, PASSWORD);
    command
}

fn pair(scene: &Scene, port: u16, more: &[&str]) -> Ran {
    Ran::from(pairing(scene, port, more).output().unwrap())
}

/// Who the page was told to pair, and with which words.
fn asked(client: &str) -> Heard {
    Heard::Asked {
        login: format!("{USER}:{PASSWORD}"),
        kind: "application/json".to_owned(),
        pin: PIN.to_owned(),
        client: client.to_owned(),
    }
}

/// User and password are found where the playbook finds them, or where the command line says; neither is ever an argument, nor
/// in what is said, however much is said.
#[test]
fn a_client_is_paired() {
    let Some(scene) = gaming() else { return };
    let page = Sunshine::open(Manner::Usual);
    let mut loud = pairing(&scene, page.port, &["--pin", PIN, "--name", "Deck", "-vv"]);
    let paired = Ran::from(loud.env("CLOUDYPAD_LOG", "trace").output().unwrap());
    assert_eq!((paired.code, paired.out.as_str()), (0, "paired: Deck may stream from mypad\n"), "{}", paired.err);
    assert_eq!(page.heard(), asked("Deck"));
    let sent = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
    assert!(paired.err.contains("TRACE") && ![PASSWORD, &sent].iter().any(|it| paired.err.contains(it)), "{}", paired.err);

    // Older versions of Sunshine say the same in other words; the password is in a file beside the playbook.
    let page = Sunshine::open(Manner::Older);
    scene.shop.write("password", &format!("{PASSWORD}\n"));
    write_wish(&scene, "present", "variables: {sunshine_user: player, sunshine_password_file: password}");
    assert_eq!(pair(&scene, page.port, &["--pin", PIN]).code, 0);
    assert_eq!(page.heard(), asked("moonlight"));

    // Where the spec says nothing, the command line does.
    write_wish(&scene, "present", "tags: []");
    assert_eq!(pair(&scene, page.port, &["--pin", PIN, "--user", USER, "--password-env", VARIABLE]).code, 0);
    assert_eq!(page.heard(), asked("moonlight"));
    assert_eq!(pair(&scene, page.port, &["--pin", PIN, "--user", USER, "--password-file", "password"]).code, 0);
    assert_eq!(page.heard(), asked("moonlight"));

    write_wish(&scene, "present", SAID_BY_THE_SPEC);
    the_pin_is_asked_for(&scene);
}

/// Somebody types the PIN at a terminal.
fn the_pin_is_asked_for(scene: &Scene) {
    if Command::new("script").arg("--version").output().is_err() {
        println!("skipped: no script(1) to make a terminal with");
        return;
    }
    let page = Sunshine::open(Manner::Usual);
    let program = pairing(scene, page.port, &[]);
    let words: Vec<_> = std::iter::once(program.get_program()).chain(program.get_args()).map(|it| it.to_str().unwrap()).collect();
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &words.join(" "), "/dev/null"]).current_dir(scene.shop.path("")).env_clear();
    terminal.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    let mut terminal = terminal.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    terminal.stdin.take().unwrap().write_all(format!("{PIN}\n").as_bytes()).unwrap();
    let said = terminal.wait_with_output().unwrap();
    let out = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && out.contains("The PIN that Moonlight shows") && out.contains("paired: moonlight"), "{out}");
    assert_eq!(page.heard(), asked("moonlight"));
}

/// Whatever fails is told with what can be done about it.
#[test]
fn what_failed_is_told() {
    let Some(mut scene) = gaming() else { return };
    let told = |scene: &Scene, port: u16, more: &[&str], what: &str, remedy: &str| {
        let failed = pair(scene, port, &[&["--pin", PIN], more].concat());
        assert_eq!((failed.code, failed.out.as_str()), (1, ""), "{}", failed.err);
        let (said, can) = failed.err.split_once("\n  you can: ").unwrap_or_else(|| panic!("no remedy: {}", failed.err));
        assert!(said.contains(what) && can.contains(remedy), "{}", failed.err);
        assert!(!failed.err.contains(PASSWORD), "{}", failed.err);
    };
    // Sunshine answers, and pairs nobody.
    let page = Sunshine::open(Manner::Usual);
    let wrong = pair(&scene, page.port, &["--pin", "9999"]);
    assert!(
        wrong.code == 1 && wrong.err.contains("no client waits with this PIN") && wrong.err.contains("in Moonlight first"),
        "{}",
        wrong.err
    );
    told(&scene, page.port, &["--user", "somebody"], "does not take the user somebody", "--password-env");
    told(&scene, Sunshine::open(Manner::New).port, &[], "no user and password yet", "have the playbook set them");
    // Somebody else does.
    told(&scene, Sunshine::open(Manner::Other).port, &[], "404 Not Found no such page, dear player:[secret]", "docker ps");
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = plain.local_addr().unwrap().port();
    let hello = std::thread::spawn(move || plain.accept().unwrap().0.write_all(b"220 a mail server, perhaps\r\n").unwrap());
    told(&scene, port, &[], "does not speak as Sunshine does", "docker ps");
    hello.join().unwrap();
    // Nobody does.
    told(&scene, Sunshine::open(Manner::Mute).port, &["--timeout", "1s"], "no answer within 1 s", "see whether Moonlight is paired");
    told(&scene, SshServer::free_port(), &[], "Sunshine is not up", "systemctl status cloudypad-sunshine");

    // The way there is barred: nobody is there, or lets us through, or lets us in, or it is another machine.
    let (host_key, owner) = (scene.shop.path("home/host-keys/default.mypad"), scene.shop.path("owner"));
    scene.lead_to(SshServer::free_port());
    told(&scene, page.port, &[], "Connection refused", "try again in a minute");
    let open = |scene: &mut Scene, host_key, owner, more| {
        let port = SshServer::free_port();
        scene.machine = SshServer::open_with(&scene.shop.path(""), port, host_key, owner, more);
        scene.lead_to(port);
    };
    open(&mut scene, &host_key, &owner, "AllowTcpForwarding no\n");
    told(&scene, page.port, &[], "does not carry us to port", "AllowTcpForwarding yes");
    let another = scene.shop.path("another");
    cloudypad::machine::seed(&another, None).unwrap();
    open(&mut scene, &host_key, &another, "");
    told(&scene, page.port, &[], "does not let", "ssh.privateKeyPath");
    open(&mut scene, &another, &owner, "");
    told(&scene, page.port, &[], "another host key", "nothing was sent there");

    // What is missing is told before anybody is asked anything.
    let ran = pair(&scene, page.port, &["--pin", "12345"]);
    assert!(ran.code == 1 && ran.err.contains("four digits"), "{}", ran.err);
    let ran = pair(&scene, page.port, &[]);
    assert!(ran.code == 1 && ran.err.contains("no terminal to ask on") && ran.err.contains("--pin"), "{}", ran.err);
    let ran = Ran::from(pairing(&scene, page.port, &["--pin", PIN]).env_remove(VARIABLE).output().unwrap());
    assert!(ran.code == 1 && ran.err.contains("set the environment variable PAGE_PASSWORD"), "{}", ran.err);
    write_wish(&scene, "present", "tags: []");
    told(&scene, page.port, &[], "which password does Sunshine's page take?", "--password-env VARIABLE or --password-file FILE");
    scene.wish("stopped");
    scene.apply();
    told(&scene, page.port, &["--password-env", VARIABLE], "mypad does not run: its server is off", "serverState=present");
}

#[test]
fn a_machine_that_is_not_there_pairs_nobody() {
    let Some(scene) = Scene::at(&LINODE) else { return };
    write_wish(&scene, "present", "tags: []");
    let ran = pair(&scene, 47990, &["--pin", PIN]);
    assert!(ran.code == 1 && ran.err.contains("does not run: it has no server") && ran.err.contains("you can"), "{}", ran.err);
    scene.shop.write_pad("present");
    let ran = pair(&scene, 47990, &["--pin", PIN]);
    assert!(ran.code == 1 && ran.err.contains("local cloud"), "{}", ran.err);
}

/// Ctrl-C while nobody answers: it ends at once, and so does all that it started.
#[test]
fn it_ends_when_it_is_told_to() {
    let Some(scene) = gaming() else { return };
    let page = Sunshine::open(Manner::Mute);
    let child = pairing(&scene, page.port, &["--pin", PIN, "--timeout", "1h"]).spawn().unwrap();
    // It has asked, and waits.
    assert_eq!(page.hears(), asked("moonlight"));
    let known_hosts = scene.shop.path("home/known-hosts");
    assert_eq!(arguments_with(known_hosts.to_str().unwrap()).len(), 1, "one ssh carries it");
    for words in arguments_with("") {
        assert!(!words.contains(PASSWORD), "{words}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.out.as_str()), (130, ""), "{}", ended.err);
    assert!(ended.err.contains("stopped"), "{}", ended.err);
    assert_eq!(arguments_with(known_hosts.to_str().unwrap()), [""; 0], "nothing is left running");
    assert_eq!(page.hears(), Heard::Gone);
}

/// The command lines with this text of everything that runs now.
fn arguments_with(text: &str) -> Vec<String> {
    let files = fs::read_dir("/proc").unwrap().map(|it| it.unwrap().path().join("cmdline"));
    let lines = files.filter_map(|it| Some(String::from_utf8_lossy(&fs::read(it).ok()?).replace('\0', " ")));
    lines.filter(|it| it.contains(text)).collect()
}
