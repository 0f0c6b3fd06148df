//! What configures a machine: a playbook or a script, found beside its spec, and the digest of everything in it.

use crate::model::spec::{Ansible, Configuration, OnStart, SecretSource};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Hexadecimal digits of a digest.
const DIGITS: usize = 16;

/// Where Ansible looks for more, beside a playbook.
const BESIDE: [&str; 14] = [
    "defaults",
    "files",
    "filter_plugins",
    "group_vars",
    "handlers",
    "host_vars",
    "library",
    "lookup_plugins",
    "meta",
    "module_utils",
    "roles",
    "tasks",
    "templates",
    "vars",
];

/// More than this is no recipe, in bytes and in directories below one another.
const LARGEST: u64 = 64 << 20;
const DEEPEST: usize = 32;

/// Why a recipe could not be read; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// A file of it cannot be read.
    #[error("cannot read {}, which is part of the configuration: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is too large.
    #[error("the configuration at {} is larger than {} MB, or deeper than {DEEPEST} directories: move the playbook into a directory of its own", path.display(), LARGEST >> 20)]
    TooLarge {
        /// The playbook.
        path: PathBuf,
    },
    /// A path starts at a home directory that is not known.
    #[error("{0:?} starts at a home directory that is not known")]
    Homeless(String),
    /// A secret is not where the spec says.
    #[error("the secret {name} is not there: {why}")]
    NoSecret {
        /// The variable.
        name: String,
        /// What is missing.
        why: String,
    },
}

/// One thing that is run.
#[derive(Debug, Clone, PartialEq)]
pub enum Play {
    /// A playbook.
    Playbook {
        /// Its file.
        path: PathBuf,
        /// What the spec says beside.
        ansible: Ansible,
    },
    /// A script.
    Script(PathBuf),
}

/// What configures a machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recipe {
    /// What runs once, and is captured.
    pub once: Option<Play>,
    /// What runs at every start.
    pub on_start: Option<Play>,
    /// Digest of everything in `once`; `None` where there is nothing.
    pub digest: Option<String>,
}

/// Gives the whole of a path as the spec writes it.
pub type Resolve<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

impl Recipe {
    /// The recipe of a spec.
    ///
    /// # Errors
    /// [`RecipeError`], where a part of it cannot be read.
    pub fn read(configuration: &Configuration, resolve: Resolve<'_>) -> Result<Self, RecipeError> {
        let Configuration::Recipe(written) = configuration else { return Ok(Self::default()) };
        let once = play(written.ansible.as_ref(), written.script.as_ref(), resolve)?;
        let on_start = match &written.on_start {
            Some(OnStart { ansible, script }) => play(ansible.as_ref(), script.as_ref(), resolve)?,
            None => None,
        };
        let digest = once.as_ref().map(Play::digest).transpose()?;
        Ok(Self { once, on_start, digest })
    }
}

fn play(ansible: Option<&Ansible>, script: Option<&String>, resolve: Resolve<'_>) -> Result<Option<Play>, RecipeError> {
    let found = |text: &str| resolve(text).ok_or_else(|| RecipeError::Homeless(text.to_owned()));
    match (ansible, script) {
        (Some(ansible), _) => Ok(Some(Play::Playbook { path: found(&ansible.playbook)?, ansible: ansible.clone() })),
        (None, Some(script)) => Ok(Some(Play::Script(found(script)?))),
        (None, None) => Ok(None),
    }
}

impl Play {
    /// A digest of everything that decides what it does: all its files, what the spec says beside, and of secrets where
    /// they are found, never what they are.
    fn digest(&self) -> Result<String, RecipeError> {
        let mut tree = Tree::default();
        let mut hash = Sha256::new();
        match self {
            Play::Script(path) => tree.file(path, Path::new("script"))?,
            Play::Playbook { path, ansible } => {
                let said = Ansible { playbook: String::new(), ..ansible.clone() };
                hash.update(serde_json::to_string(&said).unwrap_or_default());
                let dir = path.parent().unwrap_or(Path::new(""));
                for beside in BESIDE {
                    tree.directory(path, &dir.join(beside), Path::new(beside), 0)?;
                }
                let settings = dir.join("ansible.cfg");
                if settings.is_file() {
                    tree.file(&settings, Path::new("ansible.cfg"))?;
                }
                tree.mentioned(path, dir)?;
            }
        }
        for (name, bytes) in &tree.files {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        let digest: String = hash.finalize().iter().map(|it| format!("{it:02x}")).collect();
        Ok(digest[..DIGITS].to_owned())
    }

    /// The values of its secrets, by variable.
    ///
    /// # Errors
    /// [`RecipeError::NoSecret`], where one is not there.
    pub fn secrets(&self, resolve: Resolve<'_>) -> Result<BTreeMap<String, String>, RecipeError> {
        let Play::Playbook { ansible, .. } = self else { return Ok(BTreeMap::new()) };
        ansible.secrets.iter().map(|(name, source)| Ok((name.clone(), find_secret(name, source, resolve)?))).collect()
    }
}

/// The value of a secret, from where it is said to be.
///
/// # Errors
/// [`RecipeError`], where it is not there; the message says what to do.
pub fn find_secret(name: &str, source: &SecretSource, resolve: Resolve<'_>) -> Result<String, RecipeError> {
    let missing = |why: String| RecipeError::NoSecret { name: name.to_owned(), why };
    let value = match (&source.env, &source.file) {
        (Some(env), _) => std::env::var(env).map_err(|_| missing(format!("set the environment variable {env}")))?,
        (None, Some(file)) => {
            let path = resolve(file).ok_or_else(|| RecipeError::Homeless(file.clone()))?;
            let text = fs::read_to_string(&path).map_err(|error| missing(format!("{}: {error}", path.display())))?;
            text.lines().next().unwrap_or_default().to_owned()
        }
        (None, None) => return Err(missing("say where it is: env or file".to_owned())),
    };
    if value.is_empty() { Err(missing("it is empty".to_owned())) } else { Ok(value) }
}

/// The files of a recipe, by where they are to one another.
#[derive(Default)]
struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    size: u64,
}

impl Tree {
    fn file(&mut self, path: &Path, name: &Path) -> Result<(), RecipeError> {
        let fault = |source| RecipeError::Unreadable { path: path.to_owned(), source };
        let length = fs::metadata(path).map_err(fault)?.len();
        self.size += length;
        if self.size > LARGEST {
            return Err(RecipeError::TooLarge { path: path.to_owned() });
        }
        let bytes = fs::read(path).map_err(fault)?;
        self.files.insert(name.to_string_lossy().into_owned(), bytes);
        Ok(())
    }

    /// Everything below a directory, where it is there. What editors, Git and Python leave behind does nothing.
    fn directory(&mut self, playbook: &Path, dir: &Path, name: &Path, depth: usize) -> Result<(), RecipeError> {
        if depth > DEEPEST {
            return Err(RecipeError::TooLarge { path: playbook.to_owned() });
        }
        let fault = |source| RecipeError::Unreadable { path: dir.to_owned(), source };
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
            Err(error) => return Err(fault(error)),
        };
        for entry in entries {
            let entry = entry.map_err(fault)?;
            let own = entry.file_name();
            let text = own.to_string_lossy();
            if text.starts_with('.') || text == "__pycache__" || text.ends_with('~') || text.ends_with(".pyc") || text.ends_with(".retry") {
                continue;
            }
            let (path, name) = (entry.path(), name.join(&own));
            if path.is_dir() {
                self.directory(playbook, &path, &name, depth + 1)?;
            } else if path.is_file() {
                self.file(&path, &name)?;
            }
        }
        Ok(())
    }

    /// A playbook, and files beside it that it mentions by name, and what they mention.
    fn mentioned(&mut self, playbook: &Path, dir: &Path) -> Result<(), RecipeError> {
        let name = playbook.file_name().map(PathBuf::from).unwrap_or_default();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            if self.files.contains_key(name.to_string_lossy().as_ref()) {
                continue;
            }
            self.file(&dir.join(&name), &name)?;
            let text =
                self.files.get(name.to_string_lossy().as_ref()).map(|it| String::from_utf8_lossy(it).into_owned()).unwrap_or_default();
            let words = text.split(|c: char| c.is_whitespace() || "\"'[]{},:=".contains(c)).filter(|it| it.contains('.'));
            open.extend(words.map(PathBuf::from).filter(|it| it.is_relative() && dir.join(it).is_file()));
        }
        Ok(())
    }
}
