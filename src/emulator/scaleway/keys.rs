//! Who one is: the SSH keys of a project, and what little of keys and projects a client looks up before it starts.

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ids::uuid_of;
use super::pages::body_page;
use super::words::detail;
use crate::emulator::Moment;
use crate::emulator::face::{Answer, Request};

/// When the account was opened, in the format of the newer APIs.
const OPENED: &str = "2025-11-18T09:12:41.420846Z";

/// The SSH keys of all projects; part of the truth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keys {
    /// In the order of their creation.
    keys: Vec<Key>,
    /// How many were ever made.
    made: u64,
}

/// One SSH key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    id: String,
    name: String,
    /// Algorithm and base64, nothing else.
    public_key: String,
    fingerprint: String,
    project: String,
    created_at: Moment,
    updated_at: Moment,
    disabled: bool,
}

impl Key {
    fn object(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "public_key": self.public_key,
            "fingerprint": self.fingerprint,
            "created_at": self.created_at.to_string(),
            "updated_at": self.updated_at.to_string(),
            // Of a personal account, the first project has the id of the organisation.
            "organization_id": self.project,
            "project_id": self.project,
            "disabled": self.disabled,
        })
    }
}

impl Keys {
    /// A GET below `/iam/v1alpha1/ssh-keys`; `route` is the rest of the path.
    pub fn read(&self, request: &Request, route: &[&str]) -> Answer {
        match route {
            [] => self.list(request),
            [id] => match self.keys.iter().find(|key| key.id == *id) {
                Some(key) => Answer::ok(key.object()),
                None => Answer::not_found("ssh_key", id),
            },
            _ => Answer::unknown_resource(),
        }
    }

    /// A POST, PATCH or DELETE there. Ids are made from the seed of the cloud.
    pub fn write(&mut self, request: &Request, route: &[&str], seed: u64, now: Moment) -> Answer {
        let done = match (request.method.as_str(), route) {
            ("POST", []) => self.create(request, seed, now),
            ("PATCH", [id]) => self.update(request, id, now),
            ("DELETE", [id]) => self.delete(id),
            _ => Err(Answer::unknown_resource()),
        };
        done.unwrap_or_else(|refusal| refusal)
    }

    /// The keys that a server of a project is given at boot.
    pub fn of_project<'a>(&'a self, project: &'a str) -> impl Iterator<Item = &'a str> {
        self.keys.iter().filter(move |key| key.project == project && !key.disabled).map(|key| key.public_key.as_str())
    }

    fn list(&self, request: &Request) -> Answer {
        // Whether the name must match in full is not known; a client is safe only if it checks by itself.
        let wanted = |key: &&Key| {
            request.filter("name").is_none_or(|name| key.name.contains(name))
                && request.filter("project_id").is_none_or(|id| key.project == id)
                && request.filter("organization_id").is_none_or(|id| key.project == id)
                && request.filter("disabled").is_none_or(|word| word == key.disabled.to_string())
        };
        let mut found: Vec<&Key> = self.keys.iter().filter(wanted).collect();
        match request.filter("order_by") {
            Some("created_at_desc") => found.reverse(),
            Some("updated_at_asc") => found.sort_by_key(|key| key.updated_at),
            Some("updated_at_desc") => found.sort_by_key(|key| std::cmp::Reverse(key.updated_at)),
            Some("name_asc") => found.sort_by(|a, b| a.name.cmp(&b.name)),
            Some("name_desc") => found.sort_by(|a, b| b.name.cmp(&a.name)),
            _ => {}
        }
        body_page(request, "ssh_keys", found.into_iter().map(Key::object).collect())
    }

    fn create(&mut self, request: &Request, seed: u64, now: Moment) -> Result<Answer, Answer> {
        let body = request.json()?;
        let missing: Vec<Value> = ["project_id", "public_key"]
            .into_iter()
            .filter(|key| body[key].as_str().is_none_or(str::is_empty))
            .map(|key| detail(key, "required", "required key not provided"))
            .collect();
        if !missing.is_empty() {
            return Err(Answer::invalid_arguments(missing));
        }
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let Some(Parsed { public_key, fingerprint }) = parse(&text("public_key")) else {
            return Err(Answer::invalid_arguments(vec![detail("public_key", "format", "invalid public key")]));
        };
        self.made += 1;
        let id = uuid_of(seed, &["ssh_key", &self.made.to_string()]);
        let (name, project) = (text("name"), text("project_id"));
        let key = Key { id, name, public_key, fingerprint, project, created_at: now, updated_at: now, disabled: false };
        let answer = Answer::ok(key.object());
        self.keys.push(key);
        Ok(answer)
    }

    fn update(&mut self, request: &Request, id: &str, now: Moment) -> Result<Answer, Answer> {
        let body = request.json()?;
        let key = self.keys.iter_mut().find(|key| key.id == id).ok_or_else(|| Answer::not_found("ssh_key", id))?;
        if let Some(name) = body["name"].as_str() {
            name.clone_into(&mut key.name);
        }
        if let Some(disabled) = body["disabled"].as_bool() {
            key.disabled = disabled;
        }
        key.updated_at = now;
        Ok(Answer::ok(key.object()))
    }

    fn delete(&mut self, id: &str) -> Result<Answer, Answer> {
        let at = self.keys.iter().position(|key| key.id == id).ok_or_else(|| Answer::not_found("ssh_key", id))?;
        self.keys.remove(at);
        Ok(Answer::empty(204).with("content-type", "application/json"))
    }
}

/// A public key as the API keeps it.
struct Parsed {
    public_key: String,
    fingerprint: String,
}

/// Reads a line of OpenSSH's; comment, surrounding space and line end are dropped. None if it is no public key.
fn parse(line: &str) -> Option<Parsed> {
    let mut words = line.split_ascii_whitespace();
    let (algorithm, base64) = (words.next()?, words.next()?);
    let blob = decode(base64)?;
    let (named, rest) = field(&blob)?;
    if named != algorithm.as_bytes() {
        return None;
    }
    let bits = match algorithm {
        "ssh-ed25519" => (field(rest)?.0.len() == 32).then_some(256)?,
        "ssh-rsa" => bits_of(field(field(rest)?.1)?.0),
        "ecdsa-sha2-nistp256" | "sk-ecdsa-sha2-nistp256@openssh.com" | "sk-ssh-ed25519@openssh.com" => 256,
        "ecdsa-sha2-nistp384" => 384,
        "ecdsa-sha2-nistp521" => 521,
        _ => return None,
    };
    let digest: Vec<String> = Md5::digest(&blob).iter().map(|byte| format!("{byte:02x}")).collect();
    Some(Parsed { public_key: format!("{algorithm} {base64}"), fingerprint: format!("{bits} MD5:{} ({algorithm})", digest.join(":")) })
}

/// The first field of SSH's wire format (four bytes of length, then the bytes), and what follows.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// How many bits a big-endian number has.
fn bits_of(number: &[u8]) -> u32 {
    let mut digits = number.iter().skip_while(|byte| **byte == 0);
    let Some(first) = digits.next() else { return 0 };
    8 - first.leading_zeros() + 8 * digits.count() as u32
}

/// Base64 with its padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, held) = ((bits << 6) | u32::from(value), held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

/// The project that keys and DNS zones belong to where a request does not say.
pub fn default_project(seed: u64) -> String {
    uuid_of(seed, &["project"])
}

/// GET `/iam/v1alpha1/api-keys/{access key}`: any well-formed access key is one of ours.
pub fn api_key(access_key: &str, seed: u64) -> Answer {
    let well_formed = access_key
        .strip_prefix("SCW")
        .is_some_and(|rest| rest.len() == 17 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    if !well_formed {
        return Answer::not_found("api_key", access_key);
    }
    Answer::ok(json!({
        "access_key": access_key,
        // Told once only, when it is made.
        "secret_key": null,
        "user_id": uuid_of(seed, &["user"]),
        "description": "",
        "created_at": OPENED,
        "updated_at": OPENED,
        "expires_at": null,
        "default_project_id": default_project(seed),
        "editable": true,
        "deletable": true,
        "managed": false,
        "creation_ip": "192.0.2.10",
    }))
}

/// A GET below `/account/v3/projects`: one project per organisation, of the same id, as personal accounts have it.
pub fn projects(request: &Request, route: &[&str], seed: u64) -> Answer {
    let project = |id: &str| {
        json!({
            "id": id,
            "name": "default",
            "organization_id": id,
            "description": "",
            "created_at": OPENED,
            "updated_at": OPENED,
            "qualification": {"architecture_type": "unknown_architecture_type"},
        })
    };
    match route {
        [] => {
            let own = default_project(seed);
            let organization = request.filter("organization_id").unwrap_or(&own);
            let wanted = request.all("project_ids");
            let shown =
                request.filter("name").is_none_or(|name| "default".contains(name)) && (wanted.is_empty() || wanted.contains(&organization));
            body_page(request, "projects", if shown { vec![project(organization)] } else { Vec::new() })
        }
        [id] => Answer::ok(project(id)),
        _ => Answer::unknown_resource(),
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
