//! No secret is where it does not belong: not in what is said, however much is said, nor in the journal or any other file that
//! is kept, nor in anybody's arguments, nor in the environment of a program that has no use for it. Looked for end to end, with
//! the real Ansible and a real SSH server, in the middle of a run and after it.

use crate::support::{
    linode::LINODE,
    scaleway::SCALEWAY,
    scene::Scene,
    shop::{Ran, Shop},
    vendor::Vendor,
};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::mpsc,
};

/// Secrets of the playbook: one from the environment, one from a file. No text of ours or of Ansible's has them by chance.
const FROM_ENV: &str = "correct \"horse\" battery 8f1e";
const FROM_FILE: &str = "staple-77c0 \\ it's";

/// As `--token` of the emulator and in the environment of the program.
const TOKENS: [(&str, &str); 2] =
    [("scaleway", "5c5c5c5c-0000-4000-8000-feedfeedfeed"), ("linode", "feed70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce")];

/// Where Ansible is: in the search path, else where the guest's tests put it.
fn ansible() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/guest-venv/bin");
    let search = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&search).chain([own]).find(|it| it.join("ansible-playbook").exists());
    if found.is_none() {
        println!("skipped: no ansible-playbook");
    }
    found
}

/// What nobody may see, by what it is.
fn secrets(scene: &Scene, token: &str) -> BTreeMap<&'static str, String> {
    let lines = |file: &str| scene.shop.read(file).lines().filter(|it| !it.starts_with('-')).collect::<String>();
    // Of a key the part that is in no other key: the beginning is the same in all, and the public half is public.
    let own = |key: String| key[key.len() * 2 / 3..].chars().take(40).collect();
    BTreeMap::from([
        ("the vendor's token", token.to_owned()),
        ("the owner's private key", own(lines("owner"))),
        ("the machine's private key", own(lines("home/host-keys/default.mypad"))),
        ("the playbook's secret from the environment", FROM_ENV.to_owned()),
        ("the playbook's secret from a file", FROM_FILE.to_owned()),
    ])
}

/// Where a secret is in a text, itself or as JSON writes it.
fn leak<'a>(secrets: &BTreeMap<&'a str, String>, text: &[u8]) -> Option<&'a str> {
    let text = String::from_utf8_lossy(text);
    let forms = |secret: &str| {
        let quoted = serde_json::to_string(secret).unwrap();
        [secret.to_owned(), quoted[1..quoted.len() - 1].to_owned()]
    };
    secrets.iter().find(|(_, secret)| forms(secret).iter().any(|it| text.contains(it.as_str()))).map(|it| *it.0)
}

/// Every file below a directory, but for the keys that are kept for SSH.
fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("host-keys") {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

/// A process as everybody may see it, and what its owner sees of its environment.
struct Process {
    number: u32,
    parent: u32,
    arguments: Vec<u8>,
    environment: Vec<u8>,
}

/// All that runs now.
fn processes() -> Vec<Process> {
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|it| it.unwrap().file_name().to_str()?.parse::<u32>().ok());
    let read = numbers.filter_map(|number| {
        let read = |name: &str| fs::read(format!("/proc/{number}/{name}")).ok();
        let stat = String::from_utf8_lossy(&read("stat")?).into_owned();
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some(Process { number, parent, arguments: read("cmdline")?, environment: read("environ").unwrap_or_default() })
    });
    read.collect()
}

/// What a process started, and what that started.
fn descendants(of: u32, all: &[Process]) -> Vec<&Process> {
    let own: Vec<&Process> = all.iter().filter(|it| it.parent == of).collect();
    let further: Vec<&Process> = own.iter().flat_map(|it| descendants(it.number, all)).collect();
    [own, further].concat()
}

/// A playbook that says its secrets as loudly as it can, and waits in the middle of it.
fn write_playbook(shop: &Shop, gate: &Path) {
    let play = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug: {{msg: \"{{{{ one }}}} and {{{{ other }}}}\"}}\n    \
         - ansible.builtin.copy: {{content: \"{{{{ one }}}}{{{{ other }}}}\", dest: {}, mode: '0600'}}\n    \
         - ansible.builtin.raw: cat {}\n",
        shop.path("machine-has").display(),
        gate.display()
    );
    shop.write("gaming.yml", &play);
}

/// How far a run came.
enum Came {
    /// To where the playbook waits.
    ToTheGate(fs::File),
    /// It ended.
    ToItsEnd(ExitStatus),
}

/// One run with every secret there is, watched in its middle and looked through after its end.
fn nothing_leaks(vendor: &'static Vendor, more: &[&str]) {
    let Some(ansible) = ansible() else { return };
    let token = TOKENS.iter().find(|it| it.0 == vendor.name).unwrap().1;
    let Some(scene) = Scene::demanding(vendor, token) else { return };
    let gate = scene.shop.path("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    write_playbook(&scene.shop, &gate);
    scene.shop.write("own-secret", &format!("{FROM_FILE}\n"));
    scene.wish_for(
        "present",
        "    readyPort: none\n    ansible:\n      playbook: gaming.yml\n      extraArguments: [-vvv]\n      \
         secrets: {one: {env: OWN_SECRET}, other: {file: own-secret}}\n",
    );
    let mut command = scene.command(&[&["apply", "pad.yaml", "--yes", "-vv"], more].concat());
    let path = command.get_envs().find(|it| it.0 == "PATH").and_then(|it| it.1).unwrap().to_owned();
    let path = std::env::join_paths(std::env::split_paths(&path).chain([ansible])).unwrap();
    command.env("PATH", path).env(vendor.key_variable, token).env("OWN_SECRET", FROM_ENV).env("CLOUDYPAD_LOG", "trace");
    command.env("HOME", scene.shop.path("home-of-ansible")).env("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3");
    let (out, err) = (scene.shop.path("said.out"), scene.shop.path("said.err"));
    command.stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    let number = child.id();
    let (tell, hears) = mpsc::channel();
    let told = tell.clone();
    // Whoever opens the gate to write waits until the playbook reads: it is in the middle of its run.
    std::thread::spawn(move || told.send(Came::ToTheGate(fs::OpenOptions::new().write(true).open(gate).unwrap())));
    std::thread::spawn(move || tell.send(Came::ToItsEnd(child.wait().unwrap())));
    let Came::ToTheGate(mut opened) = hears.recv().unwrap() else {
        panic!("it never came so far:\n{}\n{}", fs::read_to_string(&out).unwrap(), fs::read_to_string(&err).unwrap());
    };
    let secrets = secrets(&scene, token);
    let all = processes();
    for process in &all {
        let said = || String::from_utf8_lossy(&process.arguments).replace('\0', " ");
        // Whoever runs the emulator says which token it takes.
        if !said().contains(" emulator ") && !said().starts_with("cargo") {
            assert_eq!(leak(&secrets, &process.arguments), None, "in the arguments of {}", said());
        }
    }
    let started = descendants(number, &all);
    let names: Vec<_> = started.iter().map(|it| String::from_utf8_lossy(&it.arguments).replace('\0', " ")).collect();
    for program in ["ansible-playbook", "ssh"] {
        assert!(names.iter().any(|it| it.contains(program)), "{program} runs beside: {names:?}");
    }
    for process in &started {
        let name = String::from_utf8_lossy(&process.arguments).replace('\0', " ");
        assert_eq!(leak(&secrets, &process.environment), None, "in the environment of {name}");
    }
    let scratch = scene.shop.path("home/scratch/default.mypad");
    assert_eq!(fs::metadata(&scratch).unwrap().permissions().mode() & 0o077, 0, "what the playbook reads is for its owner alone");
    opened.write_all(b"go on\n").unwrap();
    drop(opened);

    let Came::ToItsEnd(status) = hears.recv().unwrap() else { unreachable!("the gate is opened once") };
    let said = Ran { code: status.code().unwrap(), out: fs::read_to_string(&out).unwrap(), err: fs::read_to_string(&err).unwrap() };
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert_eq!(scene.shop.read("machine-has"), format!("{FROM_ENV}{FROM_FILE}"), "the playbook had them");
    assert!(said.out.contains("[secret] and [secret]"), "it said them, and they were blotted out: {}", said.out);
    assert!(said.err.contains("TRACE"), "{}", said.err);
    assert_eq!(leak(&secrets, said.out.as_bytes()), None, "in what is said");
    assert_eq!(leak(&secrets, said.err.as_bytes()), None, "in what is logged");
    let kept = files(&scene.shop.path("home"));
    for name in ["journal", "log/default.mypad.log"] {
        assert!(kept.iter().any(|it| it.to_string_lossy().contains(name)), "{name} is among {kept:?}");
    }
    for file in kept.iter().chain(&files(&scene.shop.path("home-of-ansible"))) {
        assert_eq!(leak(&secrets, &fs::read(file).unwrap()), None, "in {}", file.display());
    }
    for word in ["describe", "get", "plan"] {
        let mut command = scene.command(&[word, "pad.yaml", "-o", "json", "-vv"]);
        let shown = Ran::from(command.env(vendor.key_variable, token).env("CLOUDYPAD_LOG", "trace").output().unwrap());
        assert_eq!((shown.code, leak(&secrets, shown.out.as_bytes()), leak(&secrets, shown.err.as_bytes())), (0, None, None), "{word}");
    }
}

#[test]
fn at_scaleway_nothing_leaks_into_text() {
    nothing_leaks(&SCALEWAY, &[]);
}

#[test]
fn at_linode_nothing_leaks_into_json() {
    nothing_leaks(&LINODE, &["-o", "json"]);
}
