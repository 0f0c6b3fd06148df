//! A playbook, run by the real `ansible-playbook` through the real way in.

use crate::{
    room::{Room, has, run},
    sshd::has_ssh,
};
use cloudypad::{
    machine::{Play, PlayError},
    model::spec::{Ansible, Variable},
};
use std::{collections::BTreeMap, fs};

fn open() -> Option<Room> {
    if !has_ssh() || !has("ansible-playbook") {
        return None;
    }
    let mut room = Room::new();
    room.open("host");
    run(room.way().know(None, Some(room.identity("host")))).unwrap();
    Some(room)
}

fn play(room: &Room, tasks: &str) -> Play {
    let head = "- hosts: all\n  gather_facts: false\n  tasks:\n";
    let path = room.write("site.yml", &format!("{head}{tasks}"));
    let variables = [
        ("ansible_python_interpreter".to_owned(), Variable::Text("/usr/bin/python3".to_owned())),
        ("size".to_owned(), Variable::Number(3)),
    ];
    let ansible = Ansible {
        playbook: "site.yml".to_owned(),
        variables: variables.into(),
        secrets: BTreeMap::new(),
        tags: Vec::new(),
        extra_arguments: Vec::new(),
    };
    Play::Playbook { path, ansible }
}

/// The play runs with its variables and a secret, which nobody sees: not in what is told, not in the arguments of any
/// process on the machine, not in a file that is left behind.
#[test]
fn a_playbook_runs_with_its_variables_and_nobody_sees_its_secrets() {
    let Some(room) = open() else { return };
    let file = room.path("made");
    let tasks = format!(
        "    - name: Write what was said\n      ansible.builtin.copy: {{content: '{{{{ size }}}} {{{{ password }}}}', dest: {}}}\n    \
         - name: Say too much\n      ansible.builtin.debug: {{msg: 'it is {{{{ password }}}}'}}\n    \
         - name: Look at every process\n      ansible.builtin.shell: cat /proc/*/cmdline | tr '\\0' ' '\n      register: processes\n    \
         - name: Show them\n      ansible.builtin.debug: {{var: processes.stdout}}\n",
        file.display()
    );
    // Within a text of JSON, as Ansible prints it, it looks another way.
    let secret = "correct \"horse\" \\battery".to_owned();
    let (came, told) = room.play(&play(&room, &tasks), &[("password".to_owned(), secret.clone())].into());
    assert_eq!(came, Ok(()), "{}", told.join("\n"));
    assert_eq!(fs::read_to_string(file).unwrap(), format!("3 {secret}"));
    assert!(told.iter().any(|it| it.contains("it is [secret]")), "{told:?}");
    assert!(told.iter().any(|it| it.contains("ansible-playbook")), "the processes were seen: {told:?}");
    // Blotting would hide it there as well: the words of no process hold even a part of it.
    let words = told.iter().filter(|it| it.contains("processes.stdout")).cloned().collect::<String>();
    assert!(!words.contains("[secret]") && !words.contains("horse"), "{words}");
}

#[test]
fn the_task_that_failed_is_named_with_what_it_said() {
    let Some(room) = open() else { return };
    let tasks = "    - name: Install the driver\n      ansible.builtin.fail: {msg: no card was found}\n    - name: Never\n      ansible.builtin.debug: {msg: x}\n";
    let (came, told) = room.play(&play(&room, tasks), &BTreeMap::new());
    assert_eq!(came, Err(PlayError::Failed { what: "task \"Install the driver\"".to_owned(), answer: "no card was found".to_owned() }));
    assert!(told.iter().any(|it| it.starts_with("TASK [Install the driver]")), "{told:?}");
}

/// What a playbook passes over is not what it failed of.
#[test]
fn a_failure_that_is_passed_over_is_not_told() {
    let Some(room) = open() else { return };
    let passed = "    - name: Try the newest\n      ansible.builtin.fail: {msg: not there}\n      ignore_errors: true\n";
    let (came, told) = room.play(&play(&room, passed), &BTreeMap::new());
    assert_eq!(came, Ok(()), "{told:?}");
    let tasks = format!("{passed}    - name: Take the old one\n      ansible.builtin.fail: {{msg: not there either}}\n");
    let (came, _) = room.play(&play(&room, &tasks), &BTreeMap::new());
    assert_eq!(came, Err(PlayError::Failed { what: "task \"Take the old one\"".to_owned(), answer: "not there either".to_owned() }));
}

#[test]
fn a_playbook_that_is_none_says_so() {
    let Some(room) = open() else { return };
    let (came, _) = room.play(&play(&room, "    - no_such_module: {}\n"), &BTreeMap::new());
    let Err(PlayError::Failed { what, answer }) = came else { panic!("{came:?}") };
    assert!(what.contains("site.yml") && answer.contains("exit code"), "{what}: {answer}");
}

/// Nobody answers: that says nothing of the playbook.
#[test]
fn a_machine_that_went_away_is_not_a_playbook_that_failed() {
    let Some(mut room) = open() else { return };
    room.close();
    let (came, _) = room.play(&play(&room, "    - ansible.builtin.ping:\n"), &BTreeMap::new());
    assert!(matches!(came, Err(PlayError::NotYet(_))), "{came:?}");
}

/// And it is not run against a machine that is not the one that was born.
#[test]
fn a_machine_with_another_key_is_not_configured() {
    let Some(mut room) = open() else { return };
    room.open("another");
    // Whatever the owner's settings say.
    room.write("ansible.cfg", "[defaults]\nhost_key_checking = False\n[ssh_connection]\nssh_args = -o StrictHostKeyChecking=no\n");
    let mark = room.path("mark");
    let (came, told) =
        room.play(&play(&room, &format!("    - ansible.builtin.file: {{path: {}, state: touch}}\n", mark.display())), &BTreeMap::new());
    assert!(came.is_err(), "{told:?}");
    assert!(!mark.exists());
}
