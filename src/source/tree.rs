//! The tree of a commit as `git ls-tree` tells it: what is where, and where its links lead.

use std::{collections::BTreeMap, path::PathBuf};

/// How many files a repository may have.
const MOST_FILES: usize = 50_000;
/// How many bytes they may have together.
const MOST_BYTES: u64 = 256 << 20;
/// How many links may lead to one another.
const MOST_LINKS: usize = 40;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File {
        runs: bool,
    },
    /// A link; where it leads is known once its object is read.
    Link(Option<String>),
    /// Another repository's commit.
    Submodule,
}

/// One line of the tree.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub kind: Kind,
    /// The name of the object that holds its bytes.
    pub object: String,
    pub size: u64,
}

/// All files, links and submodules of a commit, by their paths.
#[derive(Debug, Default)]
pub(super) struct Tree(pub BTreeMap<String, Leaf>);

/// Where a path leads, links followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// To this path, whether or not something is there.
    To(String),
    /// Out of the tree, or round in circles.
    Astray,
}

impl Tree {
    /// Reads what `git ls-tree -r -z -l` wrote.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let mut leaves = BTreeMap::new();
        let mut bytes: u64 = 0;
        for line in text.split(|it| *it == 0).filter(|it| !it.is_empty()) {
            let line = std::str::from_utf8(line).map_err(|_| "a path in it is not UTF-8".to_owned())?;
            let (head, path) = line.split_once('\t').ok_or("its tree cannot be understood")?;
            let mut words = head.split_whitespace();
            let (Some(mode), Some(_), Some(object), Some(size)) = (words.next(), words.next(), words.next(), words.next()) else {
                return Err("its tree cannot be understood".to_owned());
            };
            // Git itself makes no such paths; whoever does has something in mind.
            let wrong = |it: &str| it.is_empty() || it == "." || it == ".." || it.eq_ignore_ascii_case(".git");
            if path.split('/').any(wrong) {
                return Err(format!("the path {path:?} in it leads elsewhere"));
            }
            let kind = match mode {
                "100755" => Kind::File { runs: true },
                "120000" => Kind::Link(None),
                "160000" => Kind::Submodule,
                _ if mode.starts_with("100") => Kind::File { runs: false },
                _ => return Err(format!("{path:?} in it is of an unknown kind")),
            };
            let size = size.parse().unwrap_or(0);
            bytes = bytes.saturating_add(size);
            if leaves.len() >= MOST_FILES || bytes > MOST_BYTES {
                return Err(format!(
                    "it has more than {MOST_FILES} files or {} MB: give specs a repository of their own",
                    MOST_BYTES >> 20
                ));
            }
            if leaves.insert(path.to_owned(), Leaf { kind, object: object.to_owned(), size }).is_some() {
                return Err(format!("the path {path:?} is in it twice"));
            }
        }
        Ok(Self(leaves))
    }

    /// Follows the links on the way to a path, and that it is itself.
    pub fn follow(&self, path: &str) -> Lead {
        let mut ahead: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut here: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    if here.pop().is_none() {
                        return Lead::Astray;
                    }
                    continue;
                }
                _ => here.push(part),
            }
            if let Some(Leaf { kind: Kind::Link(target), .. }) = self.0.get(&here.join("/")) {
                links += 1;
                match target {
                    Some(target) if links <= MOST_LINKS && !target.starts_with('/') => {
                        here.pop();
                        ahead.extend(target.split('/').rev().map(str::to_owned));
                    }
                    _ => return Lead::Astray,
                }
            }
        }
        Lead::To(here.join("/"))
    }

    /// The links that lead out of the tree.
    pub fn strays(&self) -> Vec<PathBuf> {
        self.links().filter(|it| self.follow(it) == Lead::Astray).map(PathBuf::from).collect()
    }

    /// A submodule at or below a path, above it, or where a link below it leads.
    pub fn submodule_of(&self, path: &str) -> Option<String> {
        let is_submodule = |it: &str| matches!(self.0.get(it), Some(Leaf { kind: Kind::Submodule, .. }));
        let below = self.0.keys().filter(|it| is_within(it, path)).find(|it| is_submodule(it));
        let leads = self.links().filter(|it| is_within(it, path)).chain([path]).filter_map(|it| match self.follow(it) {
            Lead::To(end) => upwards(&end).find(|it| is_submodule(it)).map(str::to_owned),
            Lead::Astray => None,
        });
        below.cloned().or_else(|| leads.into_iter().next())
    }

    fn links(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|it| matches!(it.1.kind, Kind::Link(_))).map(|it| it.0.as_str())
    }
}

/// Whether a path is another one, or below it. Everything is below the empty one.
fn is_within(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| above.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// A path, and those above it.
fn upwards(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |it| it.rsplit_once('/').map(|it| it.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(leaves: &[(&str, &str)]) -> Tree {
        let leaf = |what: &str| {
            let kind = match what {
                "file" => Kind::File { runs: false },
                "submodule" => Kind::Submodule,
                target => Kind::Link(Some(target.to_owned())),
            };
            Leaf { kind, object: String::new(), size: 0 }
        };
        Tree(leaves.iter().map(|(path, what)| ((*path).to_owned(), leaf(what))).collect())
    }

    #[test]
    fn a_link_may_lead_anywhere_within_the_tree_and_nowhere_else() {
        let tree = tree(&[
            ("pad.yaml", "file"),
            ("deep/down/root", "../.."),
            ("deep/same.yaml", "down/root/pad.yaml"),
            ("deep/down/sly.yaml", "root/../pad.yaml"),
            ("absolute", "/etc/passwd"),
            ("above", "../pad.yaml"),
            ("circle", "circle"),
            ("nowhere", "not/here"),
        ]);
        assert_eq!(tree.follow("deep/same.yaml"), Lead::To("pad.yaml".to_owned()));
        assert_eq!(tree.follow("nowhere"), Lead::To("not/here".to_owned()));
        let strays: Vec<String> = tree.strays().iter().map(|it| it.display().to_string()).collect();
        assert_eq!(strays, ["above", "absolute", "circle", "deep/down/sly.yaml"]);
    }

    #[test]
    fn a_submodule_matters_where_specs_come_from_it() {
        let tree = tree(&[("theme", "submodule"), ("specs/pad.yaml", "file"), ("more/link", "../theme/specs"), ("own/sub", "submodule")]);
        assert_eq!(tree.submodule_of("specs"), None);
        for (path, at) in [("own", "own/sub"), ("theme/specs", "theme"), ("more", "theme"), ("", "own/sub")] {
            assert_eq!(tree.submodule_of(path).as_deref(), Some(at), "{path:?}");
        }
    }

    #[test]
    fn a_tree_that_leads_elsewhere_is_refused() {
        for path in ["../x", "a/../../x", "a//b", ".git/config", "a/.GIT/hooks/x", "/etc/passwd"] {
            assert!(Tree::read(format!("100644 blob abc 3\t{path}\0").as_bytes()).is_err(), "{path}");
        }
        assert!(Tree::read(b"100644 blob abc 300000000\tbig\0").unwrap_err().contains("MB"));
        assert!(Tree::read(b"100644 blob abc 3\ta\xff\0").is_err());
        assert!(Tree::read(b"nonsense\0").is_err());
    }
}
