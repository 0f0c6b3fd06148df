//! Files that a spec refers to.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::findings::Findings;
use super::super::node::{Key, Node};
use super::super::problem::quoted;

/// Checks the files that a spec refers to. Relative paths start at `directory`.
///
/// A home directory differs between machines, so keys and images are looked for only at relative paths; what
/// configures a server is looked for everywhere.
pub fn check(spec: &Node, directory: &Path, findings: &mut Findings) {
    let files = ["ansible.playbook", "script", "onStart.ansible.playbook", "onStart.script"].map(|it| format!("configuration.{it}"));
    for what in &files {
        if let Some((key, node, text)) = path_at(spec, what) {
            must_exist(key, node, text, directory, findings);
        }
    }
    if spec.at("provider.local.machine").and_then(Node::text) == Some("qemu")
        && let Some((key, node, text)) = path_at(spec, "provider.local.image")
        && is_relative(text)
    {
        must_exist(key, node, text, directory, findings);
    }
    if let Some((key, node, text)) = path_at(spec, "ssh.privateKeyPath") {
        if text.ends_with(".pub") {
            let message = format!("{} is named like a public key", quoted(text));
            findings.add_with_hint(node.place(Some(key)), message, "the private key has the name without `.pub`");
        } else if is_relative(text) {
            must_exist(key, node, text, directory, findings);
        }
    }
    if let Some((key, node, text)) = path_at(spec, "ssh.publicKeyPath") {
        let beside = format!("{text}.pub");
        if !text.ends_with(".pub") && resolve(directory, &beside).is_some_and(|path| path.is_file()) {
            let message = format!("{} is named like a private key", quoted(text));
            findings.add_with_hint(node.place(Some(key)), message, format!("did you mean {}?", quoted(&beside)));
        } else if is_relative(text) {
            must_exist(key, node, text, directory, findings);
        }
    }
}

fn path_at<'a>(spec: &'a Node, what: &str) -> Option<(&'a Key, &'a Node, &'a str)> {
    let (key, node) = spec.entry(what)?;
    let text = node.text().filter(|text| !text.is_empty() && text.len() <= 4096)?;
    Some((key, node, text))
}

fn is_relative(text: &str) -> bool {
    !text.starts_with('~') && Path::new(text).is_relative()
}

fn must_exist(key: &Key, node: &Node, text: &str, directory: &Path, findings: &mut Findings) {
    let place = node.place(Some(key));
    let Some(path) = resolve(directory, text) else {
        let message = format!("{} starts at a home directory that is not known here", quoted(text));
        findings.add_with_hint(place, message, "only `~/` and $HOME are understood; write the whole path");
        return;
    };
    match path.metadata() {
        Ok(found) if found.is_file() => {}
        Ok(_) => findings.add(place, format!("{} is not a file", quoted(text))),
        // It may well be there.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        Err(_) => {
            let message = format!("the file {} does not exist", quoted(text));
            let hint = if is_relative(text) {
                format!("relative paths start at the spec's directory: looked for {}", quoted_path(&path))
            } else {
                format!("looked for {}", quoted_path(&path))
            };
            findings.add_with_hint(place, message, hint);
        }
    }
}

fn quoted_path(path: &Path) -> String {
    // Paths may be long, and their end tells most.
    let shown = path.display().to_string();
    let length = shown.chars().count();
    let end: String = shown.chars().skip(length.saturating_sub(59)).collect();
    quoted(&if length > 59 { format!("…{end}") } else { end })
}

/// A path of a spec: relative ones start at its directory, `~/` at $HOME. `None` where that is not known.
pub fn resolve(directory: &Path, text: &str) -> Option<PathBuf> {
    if !text.starts_with('~') {
        return Some(directory.join(text));
    }
    let home: OsString = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    if text == "~" {
        return Some(PathBuf::from(home));
    }
    text.strip_prefix("~/").map(|rest| Path::new(&home).join(rest))
}
