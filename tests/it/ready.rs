//! Ready: a server that runs is not yet one to play on. `apply` ends well when the streaming port answers at the machine's
//! public address, and says what is wrong where it does not. What listens there is played by the test, on an address of this
//! machine that the emulated cloud has given to the server.

use crate::support::{linode::LINODE, scaleway::SCALEWAY, scene::Scene, shop::Ran};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::Duration,
};

/// What Sunshine listens on, and Moonlight comes to first.
const STREAMING: u16 = 47989;

/// A recipe, and nothing said of ports: it is Sunshine's that shows that the machine is ready.
const GAMING: &str = "    script: once.sh\n";

fn listen(scene: &Scene, port: u16) -> TcpListener {
    TcpListener::bind((scene.address().as_str(), port)).unwrap()
}

/// From nothing to ready, and what is said where the port falls silent again.
#[test]
fn whether_somebody_can_play_is_told() {
    let Some(scene) = Scene::at(&SCALEWAY) else { return };
    let address = scene.address();
    let sunshine = listen(&scene, STREAMING);
    scene.wish_for("present", GAMING);
    let applied = scene.apply();
    assert!(applied.out.ends_with(&format!("ready: {address} answers on port 47989\n")), "{}", applied.out);
    let again = scene.apply();
    assert!(again.out.contains("Nothing to do") && again.out.contains("ready: "), "{}", again.out);
    let row = scene.row();
    assert_eq!((&row["ready"]["ready"], &row["ready"]["reason"], &row["host"]), (&true.into(), &"Open".into(), &address.clone().into()));
    assert!(scene.expect(0, &["get", "pad.yaml"]).out.contains("in sync; ready "));
    assert!(scene.expect(0, &["describe", "pad.yaml"]).out.contains(&format!("{address} answers on port 47989")));

    // Sunshine ends: the server runs, and nobody can play.
    drop(sunshine);
    assert!(scene.expect(0, &["get", "pad.yaml"]).out.contains("not ready: port 47989 refused"));
    let row = scene.row();
    assert_eq!((&row["ready"]["ready"], &row["ready"]["reason"]), (&false.into(), &"Refused".into()), "{row}");
    assert!(row["ready"]["remedy"].as_str().unwrap().contains("cloudypad ssh mypad -- systemctl --failed"), "{row}");
    let applied = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(applied.out.contains("not ready: ") && applied.out.contains("nothing listens there\n  you can: look"), "{}", applied.out);

    // Something in between lets nothing through: as a listener does that takes nobody in while as many wait as can.
    let full = listen(&scene, STREAMING);
    let to = full.local_addr().unwrap();
    let waiting: Vec<_> = std::iter::from_fn(|| TcpStream::connect_timeout(&to, Duration::from_millis(100)).ok()).collect();
    let applied = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(applied.out.contains("is silent on port 47989") && applied.out.contains("network.allowFrom (0.0.0.0/0)"), "{}", applied.out);
    drop((full, waiting));

    // What does not run is not asked.
    scene.wish_for("stopped", GAMING);
    let stopped = scene.apply();
    assert!(!stopped.out.contains("ready"), "{}", stopped.out);
    assert!(scene.row()["ready"].is_null());
}

/// An apply of a cloud that is not quite as fast as the emulator, so that there is time to wait.
fn applying(scene: &Scene, more: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command: Command = scene.command(&[&["apply", "pad.yaml", "--yes"], more].concat());
    let mut child = command.env("CLOUDYPAD_CLOUD_SPEED", "50").spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

/// Reads until the machine's port is awaited.
fn until_it_is_awaited(out: &mut impl BufRead, waiting: &str) {
    let mut line = String::new();
    while !line.contains(waiting) {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "it never waited for the port");
    }
}

/// What was just started is waited for. Ctrl-C ends the waiting; the same command goes on from there.
#[test]
fn what_was_just_started_is_waited_for() {
    let Some(scene) = Scene::at(&SCALEWAY) else { return };
    let waiting = format!("{} answers on port {STREAMING}", scene.address());
    scene.wish_for("present", GAMING);
    let (mut child, mut out) = applying(&scene, &[]);
    until_it_is_awaited(&mut out, &waiting);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((child.wait().unwrap().code(), rest.contains("ready")), (Some(130), false), "{rest}");

    scene.wish_for("stopped", GAMING);
    scene.apply();
    scene.wish_for("present", GAMING);
    let (mut child, mut out) = applying(&scene, &["-o", "json"]);
    until_it_is_awaited(&mut out, &waiting);
    let sunshine = listen(&scene, STREAMING);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    let last: serde_json::Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["ready"], &last["port"]), (&"ready".into(), &true.into(), &STREAMING.into()), "{rest}");
    drop(sunshine);
}

/// A start whose server never comes up ends in good time, and says so.
#[test]
fn a_start_after_which_nobody_can_play_is_no_success() {
    let Some(scene) = Scene::at(&LINODE) else { return };
    scene.wish_for("present", GAMING);
    let ran = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("done: ") && ran.out.contains("not ready: "), "{}", ran.out);
    // It is no hold: the spec is reached.
    let row = scene.row();
    assert_eq!((&row["verdict"], &row["ready"]["ready"]), (&"inSync".into(), &false.into()), "{row}");
    let sunshine = listen(&scene, STREAMING);
    assert!(scene.apply().out.contains(&format!("ready: {} answers", scene.address())));
    drop(sunshine);
}

/// The owner says which port it is, or that none is.
#[test]
fn the_owner_says_what_shows_it() {
    let Some(scene) = Scene::at(&SCALEWAY) else { return };
    let with = |ready: &str, ports: &str| {
        scene.wish_for("present", &format!("{GAMING}{ready}  network: {{ports: {ports}}}\n"));
    };
    with("    readyPort: 8443\n", "[22/tcp, 8000-9000/tcp]");
    let web = listen(&scene, 8443);
    let applied = scene.apply();
    assert!(applied.out.contains("answers on port 8443"), "{}", applied.out);
    drop(web);
    for (ready, ports) in [("    readyPort: none\n", "sunshine"), ("", "[22/tcp]")] {
        with(ready, ports);
        let applied: Ran = scene.apply();
        assert!(!applied.out.contains("ready"), "{}", applied.out);
        assert!(scene.row()["ready"].is_null());
    }
}
