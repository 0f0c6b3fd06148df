//! The recorder wrote one address in the place of every one. Which was which is found again: by the gateway, the reverse name and
//! the Linode that are told with it, and by what was done with it before.

use crate::recording::{Interaction, Recording};
use regex_lite::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// What stands for every address.
pub const MASK: &str = "192.0.2.0";

static REVERSE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\d+\.\d+\.\d+\.\d+) ip\.linodeusercontent\.com$").expect("patterns written here compile"));

/// What is known of one address.
#[derive(Clone, Default)]
struct Known {
    /// What it is, or what stands for it.
    address: Option<String>,
    gateway: Option<String>,
    linode: Option<Value>,
    public: Option<bool>,
    reserved: bool,
    gone: bool,
}

/// Where an address stands, and which one it is.
struct Place {
    call: usize,
    pointer: String,
    which: usize,
}

/// A recording with an address of its own for every one that was masked.
pub fn unmasked(mut recording: Recording) -> Recording {
    let mut search = Search::default();
    for (index, interaction) in recording.interactions.iter().enumerate() {
        search.read(index, interaction);
    }
    let Search { known, places } = search;
    for Place { call, pointer, which } in places {
        let address = known[which].address.clone().unwrap_or_else(|| invented(&known[which], which));
        let interaction = &mut recording.interactions[call];
        match pointer.split_once(' ') {
            Some(("path", _)) => interaction.path = interaction.path.replace(MASK, &address),
            Some(("request", at)) => put(&mut interaction.request, at, address),
            Some((_, at)) => put(&mut interaction.answer, at, address),
            None => {}
        }
    }
    recording
}

fn put(tree: &mut Option<Value>, pointer: &str, address: String) {
    if let Some(value) = tree.as_mut().and_then(|tree| tree.pointer_mut(pointer)) {
        *value = Value::String(address);
    }
}

/// An address in the network of its gateway; without one, in a network for private ones.
fn invented(known: &Known, which: usize) -> String {
    let network = known.gateway.as_deref().and_then(|gateway| gateway.rsplit_once('.')).map_or("192.168.230", |(network, _)| network);
    format!("{network}.{}", 2 + which % 250)
}

#[derive(Default)]
struct Search {
    known: Vec<Known>,
    places: Vec<Place>,
}

impl Search {
    fn read(&mut self, call: usize, interaction: &Interaction) {
        let good = interaction.status < 300;
        let answer = interaction.answer.as_ref().filter(|_| good);
        let tail = interaction.path.split('/').skip(2).collect::<Vec<_>>().join("/");
        let mut used = Vec::new();
        // Whoever names an address means one that is there already; the answer says most about which.
        let told = answer.and_then(Value::as_object).filter(|object| object.contains_key("gateway"));
        if interaction.path.contains(MASK) {
            let which = match told {
                Some(object) => self.find(object, &used),
                None => self.guess(interaction, None),
            };
            self.places.push(Place { call, pointer: "path ".into(), which });
            used.push(which);
        }
        for (pointer, target) in masked_in_request(interaction) {
            let which = match (told, interaction.method == "POST" && tail.ends_with("/ips")) {
                (Some(object), true) => self.find_unassigned(object),
                _ => self.guess(interaction, target.as_ref()),
            };
            self.places.push(Place { call, pointer: format!("request {pointer}"), which });
            if good && let Some(target) = target {
                self.known[which].linode = Some(target);
            }
            used.push(which);
        }
        let makes = interaction.method == "POST" && tail == "networking/reserved/ips";
        if let Some(answer) = answer {
            self.walk(call, "", answer, if makes { None } else { Some(&used) });
        }
        if good {
            self.follow(interaction, &tail, used.first().copied());
        }
    }

    /// Finds the addresses of an answer: of objects that tell about one, and of Linodes.
    fn walk(&mut self, call: usize, pointer: &str, tree: &Value, named: Option<&[usize]>) {
        match tree {
            Value::Object(map) => {
                if map.get("address").is_some_and(|it| it == MASK) && map.contains_key("gateway") && map["type"] == "ipv4" {
                    let in_answer = self.in_answer(call);
                    let which = match named {
                        None => self.new_one(map),
                        Some([one]) if pointer.is_empty() => *one,
                        Some(_) => self.find(map, &in_answer),
                    };
                    self.learn(which, map);
                    self.places.push(Place { call, pointer: format!("answer {pointer}/address"), which });
                }
                if let (Some(list), Some(id)) = (map.get("ipv4").and_then(Value::as_array), map.get("id"))
                    && map.contains_key("specs")
                {
                    self.of_linode(call, pointer, list, id, named.unwrap_or_default());
                }
                // A Linode's public addresses come first.
                let mut inner: Vec<_> = map.iter().collect();
                inner.sort_by_key(|(key, _)| *key != "public");
                inner.into_iter().for_each(|(key, value)| self.walk(call, &format!("{pointer}/{key}"), value, named));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.walk(call, &format!("{pointer}/{index}"), item, named));
            }
            _ => {}
        }
    }

    fn in_answer(&self, call: usize) -> Vec<usize> {
        self.places.iter().filter(|it| it.call == call && it.pointer.starts_with("answer")).map(|it| it.which).collect()
    }

    /// The addresses of a Linode, in its order.
    fn of_linode(&mut self, call: usize, pointer: &str, list: &[Value], id: &Value, named: &[usize]) {
        for which in named {
            self.known[*which].linode = Some(id.clone());
        }
        let mut own: Vec<usize> =
            (0..self.known.len()).filter(|at| self.known[*at].linode.as_ref() == Some(id) && !self.known[*at].gone).collect();
        own.sort_by_key(|at| self.known[*at].public == Some(false));
        for (index, _) in list.iter().enumerate().filter(|(_, it)| **it == MASK) {
            let which = own.get(index).copied().unwrap_or_else(|| {
                self.known.push(Known { linode: Some(id.clone()), ..Known::default() });
                self.known.len() - 1
            });
            self.places.push(Place { call, pointer: format!("answer {pointer}/ipv4/{index}"), which });
        }
    }

    fn new_one(&mut self, object: &Map<String, Value>) -> usize {
        let gateway = object["gateway"].as_str().map(str::to_owned);
        self.known.push(Known { gateway, reserved: object["reserved"] == true, ..Known::default() });
        self.known.len() - 1
    }

    /// The address that an object tells about.
    fn find(&mut self, object: &Map<String, Value>, used: &[usize]) -> usize {
        let gateway = object["gateway"].as_str();
        let linode = object.get("linode_id").filter(|it| !it.is_null());
        let (reverse, public) = (reverse(object), object.get("public").and_then(Value::as_bool));
        let fits = |at: &usize| {
            let it = &self.known[*at];
            !used.contains(at)
                && !it.gone
                && (it.gateway.is_none() || it.gateway.as_deref() == gateway)
                && (it.address.is_none() || reverse.is_none() || it.address == reverse)
                && (it.public.is_none() || it.public == public)
                && (it.linode.as_ref() == linode || it.linode.is_none() || it.reserved)
        };
        let likeness = |at: &usize| {
            let it = &self.known[*at];
            let same = |yes: bool, points: usize| if yes { points } else { 0 };
            same(it.address.is_some() && it.address == reverse, 8)
                + same(it.linode.as_ref() == linode, 4)
                + same(it.gateway.is_some() && it.gateway.as_deref() == gateway, 2)
                + same(it.reserved == (object["reserved"] == true), 1)
        };
        // The newest of the best, except that a Linode's addresses come in their order.
        let best = |all: Vec<usize>| match linode {
            Some(_) => all.into_iter().rev().max_by_key(likeness),
            None => all.into_iter().max_by_key(likeness),
        };
        best((0..self.known.len()).filter(fits).collect()).unwrap_or_else(|| self.new_one(object))
    }

    /// The address that was free before an answer told whose it is now.
    fn find_unassigned(&mut self, object: &Map<String, Value>) -> usize {
        let gateway = object["gateway"].as_str();
        let fits = |it: &Known| it.reserved && !it.gone && it.linode.is_none() && it.gateway.as_deref() == gateway;
        self.known.iter().rposition(fits).unwrap_or_else(|| self.new_one(object))
    }

    /// The address that was meant where no answer tells: the newest that what happened can have happened to.
    fn guess(&mut self, interaction: &Interaction, target: Option<&Value>) -> usize {
        let said = interaction.answer.as_ref().map(Value::to_string).unwrap_or_default();
        let order: [fn(&Known, Option<&Value>) -> bool; 3] = match interaction.status {
            404 => [|it, _| it.gone, |it, _| !it.reserved, |_, _| true],
            400 if said.contains("unassigned") => [|it, _| it.linode.is_some() && !it.gone, |it, _| it.reserved, |_, _| true],
            // Whoever gives an address to a Linode takes one that is free, if there is one.
            _ if target.is_some() => [
                |it, _| it.reserved && !it.gone && it.linode.is_none(),
                |it, target| it.reserved && !it.gone && it.linode.as_ref() != target,
                |it, _| !it.gone,
            ],
            _ => [|it, _| it.reserved && !it.gone, |it, _| !it.gone, |_, _| true],
        };
        let found = order.iter().find_map(|fits| self.known.iter().rposition(|it| fits(it, target)));
        found.unwrap_or_else(|| {
            self.known.push(Known::default());
            self.known.len() - 1
        })
    }

    fn learn(&mut self, which: usize, object: &Map<String, Value>) {
        let known = &mut self.known[which];
        known.gateway = object["gateway"].as_str().map(str::to_owned).or(known.gateway.take());
        known.address = reverse(object).or(known.address.take());
        known.linode = object.get("linode_id").filter(|it| !it.is_null()).cloned();
        known.public = object.get("public").and_then(Value::as_bool);
        known.reserved = object["reserved"] == true;
    }

    /// What becomes of addresses by a call that went well.
    fn follow(&mut self, interaction: &Interaction, tail: &str, named: Option<usize>) {
        let parts: Vec<&str> = tail.split('/').collect();
        match (interaction.method.as_str(), parts.as_slice(), named) {
            ("DELETE", ["networking", "reserved", "ips", _], Some(which)) => {
                let known = &mut self.known[which];
                known.reserved = false;
                known.gone |= known.linode.is_none();
            }
            ("PUT", ["networking", "ips", _], Some(which)) => {
                let known = &mut self.known[which];
                known.gone |= known.linode.is_none() && !known.reserved;
            }
            ("DELETE", ["linode", "instances", _, "ips", _], Some(which)) => {
                let known = &mut self.known[which];
                known.linode = None;
                known.gone |= !known.reserved;
            }
            ("DELETE", ["linode", "instances", id], _) => {
                for known in self.known.iter_mut().filter(|it| it.linode.as_ref().is_some_and(|it| it.as_str() == Some(*id))) {
                    known.linode = None;
                    known.gone |= !known.reserved;
                }
            }
            _ => {}
        }
    }
}

/// The address that the reverse name of an object tells.
fn reverse(object: &Map<String, Value>) -> Option<String> {
    let name = object.get("rdns")?.as_str()?;
    Some(REVERSE.captures(name)?.get(1)?.as_str().to_owned())
}

/// Where masked addresses stand in a request, with the Linode each is meant for.
fn masked_in_request(interaction: &Interaction) -> Vec<(String, Option<Value>)> {
    fn walk(pointer: &str, tree: &Value, target: Option<&Value>, found: &mut Vec<(String, Option<Value>)>) {
        match tree {
            Value::Object(map) => {
                let target = map.get("linode_id").or(target);
                map.iter().for_each(|(key, value)| walk(&format!("{pointer}/{key}"), value, target, found));
            }
            Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| walk(&format!("{pointer}/{at}"), item, target, found)),
            Value::String(text) if text == MASK => found.push((pointer.to_owned(), target.cloned())),
            _ => {}
        }
    }
    // Records point wherever they like.
    let mut found = Vec::new();
    if let Some(request) = interaction.request.as_ref().filter(|_| !interaction.path.contains("/domains")) {
        walk("", request, None, &mut found);
    }
    found
}
