//! What a schema cannot say. All checks read the tree, so that they speak up together with the schema.

mod clock;
mod network;
mod paths;

pub use paths::resolve;

use std::path::Path;

use super::findings::Findings;
use super::nearest::nearest;
use super::node::{Key, Node, Value};
use super::problem::{quoted, quoted_all};
use super::shape::{self, Form};
use super::source::Span;
use crate::model::spec::{Imitate, Local, Machine, Ports};
use crate::model::{Capabilities, InstanceKey};

const PROVIDERS: [&str; 3] = ["scaleway", "linode", "local"];
const LOCAL_IMAGES: [&str; 2] = ["local-os", "local-os-2"];

/// Checks one document. `directory` is where its relative paths start.
pub fn check(root: &Node, directory: &Path, findings: &mut Findings) {
    let Some(spec) = root.at("spec") else { return };
    let cloud = provider(spec, findings);
    data_disk(spec, findings);
    network::check(spec, findings);
    clock::check(spec, findings);
    configuration(spec, findings);
    paths::check(spec, directory, findings);
    if let Some(cloud) = cloud {
        cloud.image(findings);
        cloud.account(findings);
        cloud.name(root, findings);
        cloud.abilities(spec, findings);
        cloud.disk_sizes(spec, findings);
    }
}

/// The one cloud that a spec names.
struct Cloud<'a> {
    /// Its provider, and for the local one what it imitates.
    title: String,
    provider: &'static str,
    node: &'a Node,
    can: Capabilities,
}

fn provider<'a>(spec: &'a Node, findings: &mut Findings) -> Option<Cloud<'a>> {
    let (key, node) = spec.entry("provider")?;
    let Value::Map(entries) = &node.value else { return None };
    if entries.is_empty() {
        let hint = format!("name exactly one of {}", quoted_all(PROVIDERS));
        findings.add_with_hint(key.span, "spec.provider names no cloud", hint);
    }
    let named = exactly_one(entries, &PROVIDERS, "spec.provider", "an instance lives in one cloud", findings)?;
    let node = named.1;
    let provider = PROVIDERS.into_iter().find(|provider| *provider == named.0.text)?;
    let (title, can) = match provider {
        "scaleway" => (provider.to_owned(), Capabilities::scaleway()),
        "linode" => (provider.to_owned(), Capabilities::linode()),
        _ => {
            let machine = if runs_qemu(node) { Machine::Qemu } else { Machine::None };
            let (title, imitate) = match node.at("imitate").and_then(Node::text) {
                Some("linode") => ("local (imitating linode)", Imitate::Linode),
                _ => (provider, Imitate::Scaleway),
            };
            (title.to_owned(), Capabilities::local(&Local { imitate, machine, ..Local::default() }))
        }
    };
    Some(Cloud { title, provider, node, can })
}

/// The entry with one of some keys. Two different ones are a problem, told at the second.
fn exactly_one<'a>(
    entries: &'a [(Key, Node)],
    names: &[&str],
    path: &str,
    why: &str,
    findings: &mut Findings,
) -> Option<(&'a Key, &'a Node)> {
    let mut named = entries.iter().filter(|(key, _)| names.contains(&key.text.as_str()));
    let (first, node) = named.next()?;
    let Some((second, _)) = named.find(|(key, _)| key.text != first.text) else { return Some((first, node)) };
    let message = format!("{path} names both `{}` and `{}`", first.text, second.text);
    findings.add_with_hint(second.span, message, format!("{why}: remove one of them"));
    None
}

fn data_disk(spec: &Node, findings: &mut Findings) {
    let Some((key, disk)) = spec.entry("dataDisk") else { return };
    let Value::Map(_) = disk.value else { return };
    let delete = disk.at("delete").is_some_and(Node::is_true);
    match disk.entry("sizeGb") {
        None if !delete => {
            let hint = "add `sizeGb: 100`, or `delete: true` to destroy the disk and its snapshots";
            findings.add_with_hint(key.span, "spec.dataDisk lacks `sizeGb`", hint);
        }
        Some((key, size)) if delete => {
            let message = "spec.dataDisk has a size and is to be deleted";
            findings.add_with_hint(size.place(Some(key)), message, "remove `sizeGb`, or `delete: true`");
        }
        _ => {}
    }
}

fn configuration(spec: &Node, findings: &mut Findings) {
    let Some((key, node)) = spec.entry("configuration") else { return };
    let Value::Map(entries) = &node.value else { return };
    exactly_one(entries, &["ansible", "script"], "spec.configuration", "a recipe is one of the two", findings);
    for ansible in ["ansible", "onStart.ansible"] {
        secrets(spec, &format!("configuration.{ansible}.secrets"), findings);
    }
    if let Some((key, on_start)) = spec.entry("configuration.onStart")
        && let Value::Map(entries) = &on_start.value
    {
        exactly_one(entries, &["ansible", "script"], "spec.configuration.onStart", "it is one of the two", findings);
        if entries.is_empty() {
            let hint = "add one of them, or remove `onStart`";
            findings.add_with_hint(key.span, "spec.configuration.onStart has neither `ansible` nor `script`", hint);
        }
    }
    ready_port(spec, findings);
    // Whoever misspells one of the two is told so already.
    if entries.iter().all(|(key, _)| matches!(key.text.as_str(), "when" | "readyPort")) {
        let hint = "add one of them, or write `configuration: none`";
        findings.add_with_hint(key.span, "spec.configuration has neither `ansible` nor `script`", hint);
    }
}

/// A port that shows that a machine is ready must be one that can be reached.
fn ready_port(spec: &Node, findings: &mut Findings) {
    let Some((key, node)) = spec.entry("configuration.readyPort") else { return };
    let Value::Int(port) = node.value else { return };
    let Some(port) = u16::try_from(port).ok().filter(|it| *it > 0) else { return };
    let open = match spec.at("network.ports") {
        Some(list) if list.text().is_none() => Ports::List(list.items().iter().filter_map(Node::text).map(str::to_owned).collect()),
        _ => Ports::default(),
    };
    if spec.at("provider.local").is_some() {
        let message = "of a machine of the local cloud only SSH can be reached";
        findings.add_with_hint(node.place(Some(key)), message, "remove `readyPort`");
    } else if !open.let_in("tcp", port) {
        let message = format!("spec.configuration.readyPort is {port}, which spec.network.ports does not let in");
        findings.add_with_hint(node.place(Some(key)), message, format!("add `{port}/tcp` there, or write `readyPort: none`"));
    }
}

/// Each secret is found in one place.
fn secrets(spec: &Node, path: &str, findings: &mut Findings) {
    let Some((_, node)) = spec.entry(path) else { return };
    let Value::Map(secrets) = &node.value else { return };
    for (name, source) in secrets {
        let Value::Map(places) = &source.value else { continue };
        exactly_one(places, &["env", "file"], &format!("spec.{path}"), "a secret is found in one place", findings);
        if places.is_empty() {
            let hint = "name an environment variable, `env: NAME`, or a file, `file: PATH`";
            findings.add_with_hint(name.span, format!("the secret {} names no place", quoted(&name.text)), hint);
        }
    }
}

impl Cloud<'_> {
    /// Operations a second that are sold, and where the key is found.
    fn account(&self, findings: &mut Findings) {
        if let Some((key, node)) = self.node.entry("iops")
            && let Value::Int(5001..=14_999) = &node.value
        {
            findings.add_with_hint(node.place(Some(key)), "Scaleway sells no disk of so many operations a second", "write 5000 or 15000");
        }
        let Some((key, node)) = self.node.entry("credentials") else { return };
        let Value::Map(entries) = &node.value else { return };
        exactly_one(entries, &["profile", "env"], "credentials", "a key is found in one place", findings);
        if entries.is_empty() {
            let hint = "name a profile of the vendor's own command line, or an environment variable that holds the key";
            findings.add_with_hint(key.span, "credentials names no place", hint);
        }
    }

    fn image(&self, findings: &mut Findings) {
        let has_machine = self.provider == "local" && runs_qemu(self.node);
        let Some((key, node)) = self.node.entry("image") else {
            if let Some((key, node)) = self.node.entry("machine").filter(|_| has_machine) {
                let hint = "add `image:`, the file of a disk that boots by itself, raw or qcow2";
                findings.add_with_hint(node.place(Some(key)), "`machine: qemu` has no disk to boot from", hint);
            }
            return;
        };
        let Some(image) = node.text().filter(|image| !image.is_empty()) else { return };
        let place = node.place(Some(key));
        match self.provider {
            "scaleway" if is_uuid(image.rsplit('/').next().unwrap_or(image)) => findings.add_with_hint(
                place,
                format!("{} is an id, not a marketplace label", quoted(image)),
                "it may be the id of a block snapshot, which no server boots from; write a label like `ubuntu_jammy_gpu_os_12`",
            ),
            "linode" if !is_linode_image(image) => findings.add_with_hint(
                place,
                format!("{} is not an image of Linode", quoted(image)),
                "write one like `linode/ubuntu22.04`, or `private/12345` for one of your own",
            ),
            "local" if !has_machine && !LOCAL_IMAGES.contains(&image) => {
                let hint = match nearest(image, LOCAL_IMAGES) {
                    Some(other) => format!("did you mean `{other}`?"),
                    None => format!("it has {}; a disk of your own needs `machine: qemu`", quoted_all(LOCAL_IMAGES)),
                };
                findings.add_with_hint(place, format!("{} is not an image of the local cloud", quoted(image)), hint);
            }
            _ => {}
        }
    }

    fn name(&self, root: &Node, findings: &mut Findings) {
        let Some((key, node)) = root.entry("metadata.name") else { return };
        let Some(name) = node.text().filter(|name| !name.is_empty() && name.len() <= 63) else { return };
        let namespace = root.at("metadata.namespace").and_then(Node::text).unwrap_or("default");
        let object = InstanceKey { namespace: namespace.to_owned(), name: name.to_owned() }.object_name();
        let (least, most) = self.can.name_length;
        if namespace.len() <= 63 && !(least..=most).contains(&object.len()) {
            let message = format!("the server would be named {}: {} characters", quoted(&object), object.len());
            let hint = format!("{} takes names of {least} to {most} characters", self.title);
            findings.add_with_hint(node.place(Some(key)), message, hint);
        }
    }

    fn abilities(&self, spec: &Node, findings: &mut Findings) {
        if let Some((key, node)) = spec.entry("dataDiskSnapshot.enable")
            && node.is_true()
            && !self.can.data_snapshots
        {
            let message = format!("spec.dataDiskSnapshot: volumes have no snapshots on {}", self.title);
            let hint = "leave dataDiskSnapshot out: the volume itself stays, detached, while archived";
            findings.add_with_hint(node.place(Some(key)), message, hint);
        }
        if let Some((key, _)) = spec.entry("network.dns")
            && !self.can.dns
        {
            let message = format!("spec.network.dns: {} has no DNS", self.title);
            findings.add_with_hint(key.span, message, "leave dns out: the address is shown by `cloudypad get`");
        }
    }

    /// Sizes that no cloud takes are told by the schema; only what this cloud adds is told here. A
    /// root disk is never larger than a volume; how small it may be, the schema says alone.
    fn disk_sizes(&self, spec: &Node, findings: &mut Findings) {
        let (least, most) = (i128::from(self.can.volume_gb.0), i128::from(self.can.volume_gb.1));
        if let Some((place, size)) = size_at(spec, "dataDisk.sizeGb")
            && !(least..=most).contains(&size)
        {
            let message = format!("spec.dataDisk.sizeGb is {size}, but a volume on {} has {least} to {most} GB", self.title);
            findings.add(place, message);
        }
        if let Some((place, size)) = size_at(spec, "rootDisk.sizeGb")
            && size > most
        {
            findings.add(place, format!("spec.rootDisk.sizeGb is {size}, but a disk on {} has at most {most} GB", self.title));
        }
    }
}

/// Whether a `local` block asks for real machines.
fn runs_qemu(local: &Node) -> bool {
    local.at("machine").and_then(Node::text) == Some("qemu")
}

/// A size below `spec` that the schema has nothing against, and its place.
fn size_at(spec: &Node, path: &str) -> Option<(Span, i128)> {
    let (key, node) = spec.entry(path)?;
    let size = node.whole_number()?;
    let Form::Integer { least, most } = shape::instance().below(&format!("spec.{path}"))?.form else { return None };
    (least..=most).contains(&size).then(|| (node.place(Some(key)), size))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.chars().all(|each| each.is_ascii_hexdigit() || each == '-')
}

fn is_linode_image(image: &str) -> bool {
    match image.split_once('/') {
        Some(("linode", name)) => {
            !name.is_empty() && name.chars().all(|each| each.is_ascii_alphanumeric() || matches!(each, '.' | '-' | '_'))
        }
        Some(("private", number)) => !number.is_empty() && number.chars().all(|each| each.is_ascii_digit()),
        _ => false,
    }
}
