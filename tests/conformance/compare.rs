//! Two answers side by side: the shape of both trees must be the same, and every value that follows from the
//! requests.

use crate::{
    align::{align, name_of},
    cloud::Reply,
    names::{Meeting, Names, ids, is_id, without_ids},
    recording::Interaction,
    route::Route,
    vendor::Vendor,
};
use regex_lite::Regex;
use serde_json::{Map, Value};
use std::{collections::BTreeSet, sync::LazyLock};

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// The recording has it, the answer has not.
    Missing,
    /// The answer has it, the recording has not.
    Extra,
    /// Another JSON type, status, or kind of error.
    Type,
    /// Another value of the same type.
    Value,
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What kind it is.
    pub aspect: Aspect,
    /// Where: a JSON pointer, `status`, or `header …`.
    pub pointer: String,
    /// What was recorded.
    pub recorded: Value,
    /// What came.
    pub got: Value,
}

impl Difference {
    /// Is it one of value alone?
    pub fn is_of_value(&self) -> bool {
        self.aspect == Aspect::Value
    }
}

/// What is known when answers are compared.
pub struct Known<'a> {
    /// Whose API it is.
    pub vendor: &'a dyn Vendor,
    /// The endpoint.
    pub route: &'a Route,
    /// Ids that calls of this recording made.
    pub born: &'a BTreeSet<String>,
    /// Projects that calls of this recording named.
    pub projects: &'a BTreeSet<String>,
}

/// What came of it.
#[derive(Default)]
pub struct Compared {
    /// All differences.
    pub differences: Vec<Difference>,
    /// Those that are left to the API's age, to chance, or open.
    pub excused: Vec<Difference>,
    /// How many objects of other people the recording lists.
    pub foreign: usize,
}

static STAMP: LazyLock<Regex> = LazyLock::new(|| written(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$"));
static MINUTE: LazyLock<Regex> = LazyLock::new(|| written(r"\d{4}-\d\d-\d\d_\d\d-\d\d"));

fn written(pattern: &str) -> Regex {
    Regex::new(pattern).expect("patterns written here compile")
}

/// Compares an answer with the recorded one, and learns names from it.
pub fn compare(known: &Known, interaction: &Interaction, reply: &Reply, names: &mut Names) -> Compared {
    let mut comparison = Comparison { known, interaction, names, uneven: false, compared: Compared::default() };
    if reply.status != interaction.status {
        let said = |status: u16, body: &Option<Value>| Value::String(format!("{status} {}", body.as_ref().map(brief).unwrap_or_default()));
        comparison.differ(Aspect::Type, "status", &said(interaction.status, &interaction.answer), &said(reply.status, &reply.body));
        return comparison.compared;
    }
    let null = Value::Null;
    comparison.walk("", "", interaction.answer.as_ref().unwrap_or(&null), reply.body.as_ref().unwrap_or(&null));
    comparison.headers(interaction, reply);
    comparison.compared
}

/// A tree in a few words.
pub fn brief(tree: &Value) -> String {
    let text = tree.to_string();
    if text.chars().count() <= 160 { text } else { format!("{}…", text.chars().take(160).collect::<String>()) }
}

struct Comparison<'a> {
    known: &'a Known<'a>,
    interaction: &'a Interaction,
    names: &'a mut Names,
    /// Does a catalogue have other elements now?
    uneven: bool,
    compared: Compared,
}

impl Comparison<'_> {
    fn differ(&mut self, aspect: Aspect, pointer: &str, recorded: &Value, got: &Value) {
        // A case of our own may leave a value open, or even whether there is one.
        let left = |note: &String| match note.split_once(' ') {
            Some(("open", place)) => place == pointer && aspect == Aspect::Value,
            Some(("free", place)) => place == pointer,
            _ => false,
        };
        let difference = Difference { aspect, pointer: pointer.to_owned(), recorded: recorded.clone(), got: got.clone() };
        let open = self.interaction.notes.iter().any(left);
        let strict = self.interaction.notes("strict");
        let excused = open || (!strict && self.known.vendor.is_allowed(self.interaction, self.known.route, &difference));
        let list = if excused { &mut self.compared.excused } else { &mut self.compared.differences };
        list.push(difference);
    }

    fn headers(&mut self, interaction: &Interaction, reply: &Reply) {
        let text = |value: Option<&String>| value.map_or(Value::Null, |it| Value::String(it.clone()));
        let same = |name: &str| interaction.headers.get(name) == reply.headers.get(name);
        let total = same("x-total-count");
        for (name, by_value) in self.known.vendor.headers() {
            let (recorded, got) = (interaction.headers.get(*name), reply.headers.get(*name));
            let pointer = format!("header {name}");
            match (recorded, got) {
                (Some(_), None) => self.differ(Aspect::Missing, &pointer, &text(recorded), &Value::Null),
                (None, Some(_)) => self.differ(Aspect::Extra, &pointer, &Value::Null, &text(got)),
                (Some(one), Some(other)) => {
                    let counts_differ_rightly = self.counts_differ_rightly();
                    let equal = match *name {
                        _ if !by_value => true,
                        "x-total-count" => counts_differ_rightly || one == other,
                        "link" => !total || counts_differ_rightly || self.names.translate(one) == *other,
                        "location" => self.names.translate(path_of(one)) == path_of(other),
                        _ => one == other,
                    };
                    if !equal {
                        self.differ(Aspect::Value, &pointer, &Value::String(self.names.translate(one)), &text(got));
                    }
                }
                (None, None) => {}
            }
        }
    }

    /// Are there elements that are not the recording's own, so that nobody knows how many there must be?
    fn counts_differ_rightly(&self) -> bool {
        self.compared.foreign > 0 || self.uneven
    }

    fn walk(&mut self, pointer: &str, key: &str, recorded: &Value, got: &Value) {
        match (recorded, got) {
            (Value::Object(one), Value::Object(other)) if self.known.vendor.is_table(pointer, key, recorded) => {
                self.tables(pointer, one, other)
            }
            (Value::Object(one), Value::Object(other)) => self.objects(pointer, one, other),
            (Value::Array(one), Value::Array(other)) => self.lists(pointer, key, one, other),
            (Value::String(one), Value::String(other)) => self.texts(pointer, key, one, other),
            (Value::Number(one), Value::Number(other)) => {
                let count = self.known.vendor.counts().contains(&key) && self.counts_differ_rightly();
                if one.as_f64() != other.as_f64() && !count && !self.known.vendor.is_free(pointer, key, recorded, got) {
                    self.differ(Aspect::Value, pointer, recorded, got);
                }
            }
            (Value::Bool(one), Value::Bool(other)) if one != other => self.differ(Aspect::Value, pointer, recorded, got),
            (one, other) if std::mem::discriminant(one) != std::mem::discriminant(other) => {
                self.differ(Aspect::Type, pointer, recorded, got)
            }
            _ => {}
        }
    }

    fn objects(&mut self, pointer: &str, recorded: &Map<String, Value>, got: &Map<String, Value>) {
        // Lists first: whether other people's objects are among them decides what a total may be.
        let mut keys: Vec<&String> = recorded.keys().collect();
        keys.sort_by_key(|key| !recorded[*key].is_array());
        for key in keys {
            let at = format!("{pointer}/{key}");
            match got.get(key) {
                Some(value) => self.walk(&at, key, &recorded[key], value),
                None => self.differ(Aspect::Missing, &at, &recorded[key], &Value::Null),
            }
        }
        for (key, value) in got.iter().filter(|(key, _)| !recorded.contains_key(*key)) {
            self.differ(Aspect::Extra, &format!("{pointer}/{key}"), &Value::Null, value);
        }
    }

    /// Objects whose keys are values: slots, names of types.
    fn tables(&mut self, pointer: &str, recorded: &Map<String, Value>, got: &Map<String, Value>) {
        let catalogue = self.known.vendor.is_catalogue(self.known.route);
        self.uneven |= catalogue;
        for (key, value) in recorded {
            let at = format!("{pointer}/{key}");
            match got.get(key) {
                Some(other) => self.walk(&at, key, value, other),
                // A type that is not sold any more is not the emulator's to know.
                None if catalogue && value["end_of_service"] == Value::Bool(true) => {}
                None => self.differ(Aspect::Value, &at, value, &Value::Null),
            }
        }
        if !catalogue {
            for (key, value) in got.iter().filter(|(key, _)| !recorded.contains_key(*key)) {
                self.differ(Aspect::Value, &format!("{pointer}/{key}"), &Value::Null, value);
            }
        }
    }

    fn lists(&mut self, pointer: &str, key: &str, recorded: &[Value], got: &[Value]) {
        let vendor = self.known.vendor;
        if !recorded.iter().chain(got).any(Value::is_object) {
            return self.plain_lists(pointer, key, recorded, got);
        }
        let inner = |item: &&Value| !vendor.is_of_the_cloud(item);
        if recorded.iter().chain(got).any(|item| !inner(&item)) {
            let kept = |items: &[Value]| items.iter().filter(inner).cloned().collect::<Vec<_>>();
            return self.lists(pointer, key, &kept(recorded), &kept(got));
        }
        let shared = vendor.lists_shared_objects(self.known.route) && pointer.matches('/').count() == 1;
        let born = |id: &str| ids(id).iter().any(|id| self.known.born.contains(*id));
        let is_foreign = |item: &Value| shared && !vendor.is_everybodys(item) && vendor.owner(item).is_some_and(|id| !born(id));
        let foreign: Vec<&Value> = recorded.iter().filter(|item| is_foreign(item)).collect();
        let ours: Vec<&Value> = recorded.iter().filter(|item| !is_foreign(item)).collect();
        self.compared.foreign += foreign.len();
        let partners = align(vendor, &ours, got, self.names);
        for (index, (item, partner)) in ours.iter().zip(&partners).enumerate() {
            match partner {
                Some(partner) => self.walk(&format!("{pointer}/{index}"), "", item, &got[*partner]),
                None => self.differ(Aspect::Value, &format!("{pointer}/{index}"), item, &Value::Null),
            }
        }
        let found: Vec<usize> = partners.iter().flatten().copied().collect();
        let for_sale = vendor.is_catalogue(self.known.route) && pointer.matches('/').count() <= 1;
        self.uneven |= for_sale && (found.len() < partners.len() || found.len() < got.len());
        if !vendor.is_unordered(self.known.route, key) && !found.is_sorted() {
            self.differ(
                Aspect::Value,
                &format!("{pointer} (order)"),
                &Value::from((0..found.len()).collect::<Vec<_>>()),
                &Value::from(found.clone()),
            );
        }
        for (index, item) in got.iter().enumerate().filter(|(index, _)| !found.contains(index)) {
            let ours = name_of(item).is_some_and(|id| self.names.is_known_as(id));
            if (foreign.is_empty() && !for_sale) || ours {
                self.differ(Aspect::Value, &format!("{pointer}/+{index}"), &Value::Null, item);
            }
        }
        // Other people's objects are of the same shape as ours, where both have something.
        let like = got.iter().find(|it| !vendor.is_everybodys(it)).or_else(|| got.first().filter(|_| !for_sale));
        for (index, one) in foreign.iter().enumerate() {
            like.into_iter().for_each(|other| self.shapes(&format!("{pointer}/{index}"), "", one, other));
        }
    }

    /// Lists of values: equal, names aside.
    fn plain_lists(&mut self, pointer: &str, key: &str, recorded: &[Value], got: &[Value]) {
        let vendor = self.known.vendor;
        let whole = |items: &[Value]| Value::Array(items.to_vec());
        if vendor.owns_address(pointer, key) && recorded.len() == got.len() {
            for (index, (one, other)) in recorded.iter().zip(got).enumerate() {
                self.walk(&format!("{pointer}/{index}"), key, one, other);
            }
            return;
        }
        let translated: Vec<Value> = recorded.iter().map(|item| self.names.translate_tree(item)).collect();
        if translated != got && !vendor.is_free(pointer, key, &whole(recorded), &whole(got)) {
            self.differ(Aspect::Value, pointer, &Value::Array(translated), &whole(got));
        }
    }

    /// Compares the keys of two objects that have nothing else in common.
    fn shapes(&mut self, pointer: &str, key: &str, recorded: &Value, got: &Value) {
        match (recorded, got) {
            (one, Value::Object(other)) if self.known.vendor.is_table(pointer, key, got) => {
                let like =
                    |wanted: &Value| one.as_object().into_iter().flatten().find(|(_, it)| it["volume_type"] == wanted["volume_type"]);
                for (slot, value) in other {
                    if let Some((_, one)) = like(value) {
                        self.shapes(&format!("{pointer}/{slot}"), slot, one, value);
                    }
                }
            }
            (Value::Object(one), Value::Object(other)) => {
                let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
                for key in keys {
                    let at = format!("{pointer}/{key}");
                    match (one.get(key), other.get(key)) {
                        (Some(value), Some(other)) => self.shapes(&at, key, value, other),
                        _ if self.known.vendor.is_optional(&at) => {}
                        (Some(value), None) => self.differ(Aspect::Missing, &at, value, &Value::Null),
                        (None, other) => self.differ(Aspect::Extra, &at, &Value::Null, other.unwrap_or(&Value::Null)),
                    }
                }
            }
            (Value::Array(one), Value::Array(other)) => {
                if let (Some(one), Some(other)) = (one.first(), other.first()) {
                    self.shapes(&format!("{pointer}/0"), key, one, other);
                }
            }
            (Value::Null, _) | (_, Value::Null) => {}
            (one, other) if std::mem::discriminant(one) != std::mem::discriminant(other) => self.differ(Aspect::Type, pointer, one, other),
            _ => {}
        }
    }

    fn texts(&mut self, pointer: &str, key: &str, recorded: &str, got: &str) {
        let (one, other) = (Value::String(recorded.to_owned()), Value::String(got.to_owned()));
        if key.starts_with("project") && is_id(recorded) {
            if !is_id(got) || (self.known.projects.contains(recorded) && recorded != got) {
                self.differ(Aspect::Value, pointer, &one, &other);
            }
        } else if self.known.vendor.is_free(pointer, key, &one, &other) {
            // Neither follows from a request.
        } else if let Some(style) = stamp_style(recorded) {
            if stamp_style(got) != Some(style) {
                self.differ(Aspect::Value, pointer, &one, &other);
            }
        } else if self.known.vendor.owns_address(pointer, key) {
            self.meet(pointer, recorded, got);
        } else {
            let (ours, theirs) = (ids(recorded), ids(got));
            if recorded == got && ours.is_empty() {
                return;
            }
            let blank = |text: &str| MINUTE.replace_all(&without_ids(text), "*").into_owned();
            if ours.len() != theirs.len() || blank(&self.names.translate(recorded)) != blank(got) {
                self.differ(Aspect::Value, pointer, &Value::String(self.names.translate(recorded)), &other);
                return;
            }
            for (recorded, got) in ours.into_iter().zip(theirs) {
                // Projects are the client's own names.
                if !(self.known.projects.contains(recorded) && recorded == got) {
                    self.meet(pointer, recorded, got);
                }
            }
        }
    }

    fn meet(&mut self, pointer: &str, recorded: &str, got: &str) {
        let told = |text: &str| Value::String(text.to_owned());
        match self.names.meet(recorded, got) {
            Meeting::Same => {}
            Meeting::Else(known) => self.differ(Aspect::Value, pointer, &told(&known), &told(got)),
            Meeting::Taken => {
                self.differ(Aspect::Value, pointer, &told(recorded), &Value::String(format!("{got}, which is something else's name")))
            }
        }
    }
}

/// Whether a moment has a fraction, and how it gives its offset; none, if the text is not a moment.
fn stamp_style(text: &str) -> Option<(bool, &str)> {
    if !(19..=40).contains(&text.len()) {
        return None;
    }
    let found = STAMP.captures(text)?;
    Some((found.get(1).is_some(), found.get(2).map_or("", |it| it.as_str())))
}

/// The path of an address with a host.
fn path_of(address: &str) -> &str {
    address.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or(address)
}

/// A pointer with its indices as stars.
pub fn starred(pointer: &str) -> String {
    let part = |part: &str| if !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()) { "*".to_owned() } else { part.to_owned() };
    pointer.split('/').map(part).collect::<Vec<_>>().join("/")
}
