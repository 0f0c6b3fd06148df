//! What the API has and its description of October 2024 has not, with where that is known from.

use serde_json::Value;

/// What a field may hold.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// Any text.
    Text,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// An object.
    Object,
}

/// A field of the body.
pub struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

/// An operation that is not described.
pub struct Operation {
    method: &'static str,
    path: &'static [&'static str],
    body: &'static [Field],
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

/// Operations that came later: reserved addresses (description of 2026, recorded), default firewalls (recorded).
const OPERATIONS: &[Operation] = &[
    Operation { method: "get", path: &["networking", "reserved", "ips"], body: &[] },
    Operation { method: "post", path: &["networking", "reserved", "ips"], body: &[must("region", Kind::Text), may("tags", Kind::Texts)] },
    Operation { method: "get", path: &["networking", "reserved", "ips", "types"], body: &[] },
    Operation { method: "get", path: &["networking", "reserved", "ips", "*"], body: &[] },
    Operation { method: "put", path: &["networking", "reserved", "ips", "*"], body: &[must("tags", Kind::Texts)] },
    Operation { method: "delete", path: &["networking", "reserved", "ips", "*"], body: &[] },
    Operation { method: "get", path: &["networking", "firewalls", "settings"], body: &[] },
    Operation { method: "put", path: &["networking", "firewalls", "settings"], body: &[must("default_firewall_ids", Kind::Object)] },
];

/// The operation of a request, if it is one of these.
pub fn operation(method: &str, path: &[&str]) -> Option<&'static Operation> {
    let fits = |parts: &[&str]| parts.len() == path.len() && parts.iter().zip(path).all(|(part, it)| *part == "*" || part == it);
    OPERATIONS.iter().find(|it| it.method == method && fits(it.path))
}

/// What is newer about an operation that is described.
pub struct Newer {
    method: &'static str,
    path: &'static str,
    fields: &'static [Field],
    /// What it required, and does not any more.
    pub not_required: &'static [&'static str],
    /// What its list can be filtered by as well.
    pub filters: &'static [&'static str],
}

const fn more(method: &'static str, path: &'static str, fields: &'static [Field], not_required: &'static [&'static str]) -> Newer {
    Newer { method, path, fields, not_required, filters: &[] }
}

const fn more_filters(path: &'static str, filters: &'static [&'static str]) -> Newer {
    Newer { method: "get", path, fields: &[], not_required: &[], filters }
}

const ENCRYPTION: Field = may("disk_encryption", Kind::OneOf(&["enabled", "disabled"]));
const POLICY: Field = may("maintenance_policy", Kind::OneOf(&["linode/migrate", "linode/power_off_on"]));

const NEWER: &[Newer] = &[
    // The description of 2026; `ipv4`, the generation, encryption and the policy are recorded, too.
    more(
        "post",
        "linode/instances",
        &[
            may("boot_size", Kind::Number),
            may("kernel", Kind::Text),
            may("ipv4", Kind::Texts),
            may("interface_generation", Kind::OneOf(&["legacy_config", "linode"])),
            may("network_helper", Kind::Flag),
            ENCRYPTION,
            POLICY,
        ],
        &[],
    ),
    // The description of 2026: keys alone will do.
    more("post", "linode/instances/{linodeId}/rebuild", &[ENCRYPTION], &["root_pass"]),
    // Recorded.
    more("put", "linode/instances/{linodeId}", &[POLICY], &[]),
    // Recorded: an address is reserved, or given back.
    more("put", "networking/ips/{address}", &[may("reserved", Kind::Flag)], &["rdns"]),
    more("post", "networking/ips", &[may("reserved", Kind::Flag), may("region", Kind::Text)], &["linode_id"]),
    more("post", "linode/instances/{linodeId}/ips", &[may("address", Kind::Text)], &[]),
    // Recorded among what is answered; the description of 2026 has it among what is sent.
    more("put", "account/settings", &[POLICY, may("interfaces_for_new_linodes", Kind::Text)], &[]),
    // Recorded, and the description of 2026.
    more_filters("networking/ips", &["reserved"]),
    more_filters("linode/instances", &["image", "interface_generation"]),
];

/// Lists that are described without pages, and have them: recorded with `page`, and with `pages` in the answer.
const PAGED: &[&str] = &["networking/ips"];

/// Whether a list has pages that its description does not have.
pub fn is_paged(path: &[&str]) -> bool {
    PAGED.contains(&path.join("/").as_str())
}

/// What is newer about an operation.
pub fn fields(method: &str, path: &str) -> &'static Newer {
    const NOTHING: &Newer = &more("", "", &[], &[]);
    NEWER.iter().find(|it| it.method == method && it.path == path).unwrap_or(NOTHING)
}

impl Newer {
    /// A body without the newer fields, which are judged here.
    pub fn without(&self, body: &Value, found: &mut Vec<String>) -> Value {
        let Some(map) = body.as_object() else { return body.clone() };
        let mut rest = map.clone();
        for field in self.fields {
            if let Some(value) = rest.remove(field.name) {
                judge(field, &value, found);
            }
        }
        Value::Object(rest)
    }
}

/// Says what is wrong with the body of an operation.
pub fn check(operation: &Operation, body: &Value, found: &mut Vec<String>) {
    let empty = serde_json::Map::new();
    let map = body.as_object().unwrap_or(&empty);
    for (key, value) in map {
        match operation.body.iter().find(|it| it.name == key) {
            Some(field) => judge(field, value, found),
            None => found.push(format!("body/{key} is unknown")),
        }
    }
    let missing = operation.body.iter().filter(|it| it.required && !map.contains_key(it.name));
    found.extend(missing.map(|it| format!("body/{} is missing", it.name)));
}

fn judge(field: &Field, value: &Value, found: &mut Vec<String>) {
    let texts = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let fits = match field.kind {
        Kind::Number => value.is_u64(),
        Kind::Flag => value.is_boolean(),
        Kind::Text => value.is_string(),
        Kind::OneOf(words) => value.as_str().is_some_and(|it| words.contains(&it)),
        Kind::Texts => texts(value),
        Kind::Object => value.is_object(),
    };
    if !fits {
        found.push(format!("body/{} cannot be {value}", field.name));
    }
}
