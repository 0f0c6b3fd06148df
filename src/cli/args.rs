//! The command line.

use super::pair::four_digits;
use crate::{machine::SUNSHINE_PAGE, model::Moment};
use clap::{Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
use std::path::PathBuf;

/// Keeps cloud gaming machines in the state their owner wrote down.
///
/// Write a spec, then: cloudypad apply SPEC.yaml. Set its serverState to absent and apply again to
/// archive the machine; set it to present to have it back.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 failed, 2 changes pending (plan --detailed-exitcode), 3 held, or not ready, and needs you, \
                  130 interrupted and safe to resume."
)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Show the log on standard error; twice for more.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// How to show the log.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, global = true)]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for each event.
    #[default]
    Text,
    /// An object for each event, on a line of its own.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check specs without asking any cloud.
    Validate(Validate),
    /// Print the JSON Schema of specs.
    Schema,
    /// Show what apply would do, and why.
    Plan(Plan),
    /// Bring instances to the state in their specs.
    Apply(Apply),
    /// Delete instances, their disks and their snapshots.
    Delete(Delete),
    /// Take over instances that another source manages.
    Adopt(Adopt),
    /// Wake instances that went to sleep by themselves.
    Wake(Adopt),
    /// Let a watch go on from a branch that was rewritten
    Approve(Approve),
    /// Keep instances as their files say: when a file changes, when the cloud does, when nobody plays.
    Watch(Watch),
    /// List instances and where they stand.
    Get(Get),
    /// Show everything about an instance.
    Describe(Describe),
    /// List what runs did, and why; or tell the story of one.
    History(History),
    /// Log in to the server of an instance, or run a command there.
    Ssh(Ssh),
    /// Tell the streaming server of an instance the PIN that Moonlight shows.
    Pair(Pair),
    /// Change one value in a spec file, and nothing else of it.
    Set(Set),
    /// Serve the API of a vendor over a cloud in a directory, for tests and trials without an account.
    Emulator(Emulator),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ssh {
    #[command(flatten)]
    pub instance: One,
    /// Forward a port of this machine: [ADDRESS:]PORT:HOST:PORT, as ssh -L takes it. May be given several times.
    #[arg(short = 'L', long, value_name = "FORWARD")]
    pub forward: Vec<String>,
    /// A command to run there, with its arguments; a shell without one.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Pair {
    #[command(flatten)]
    pub instance: One,
    /// The four digits that Moonlight shows; asked for, if missing.
    #[arg(long, value_name = "PIN", value_parser = four_digits)]
    pub pin: Option<String>,
    /// What Sunshine calls the client from now on.
    #[arg(long, value_name = "CLIENT", default_value = "moonlight", value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
    /// The user of Sunshine's page; else the playbook's variable sunshine_user, else cloudypad.
    #[arg(long, value_name = "USER", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
    /// The environment variable that holds the password of Sunshine's page; else where the playbook finds it.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "password_file")]
    pub password_env: Option<String>,
    /// The file whose first line is the password.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The port of Sunshine's page on the machine.
    #[arg(long, value_name = "PORT", default_value_t = SUNSHINE_PAGE)]
    pub port: u16,
    /// For how long to wait for Sunshine's answer.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// One instance.
#[derive(Debug, clap::Args)]
pub(crate) struct One {
    /// The instance: its name, or its spec file.
    #[arg(value_name = "FILE|NAME")]
    pub target: String,
    /// Where the name is looked up; else CLOUDYPAD_SPECS, else the current directory.
    #[arg(short = 'f', long = "specs", value_name = "PATH")]
    pub specs: Option<PathBuf>,
}

impl One {
    /// The instance, as other commands name it.
    pub fn as_targets(&self) -> Targets {
        Targets { targets: vec![self.target.clone()], specs: self.specs.clone() }
    }
}

/// Which specs.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Targets {
    /// Spec files, directories of specs, or names of instances.
    #[arg(value_name = "FILE|DIR|NAME")]
    pub targets: Vec<String>,
    /// Where names are looked up, and what is meant where no target is given; else CLOUDYPAD_SPECS,
    /// else the current directory.
    #[arg(short = 'f', long = "specs", value_name = "PATH")]
    pub specs: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Shape {
    /// For people.
    #[default]
    Table,
    /// One JSON object per line.
    Json,
    /// YAML documents.
    Yaml,
}

/// Who manages the instance.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Owner {
    /// The source that manages the instances; objects of another source are left alone.
    #[arg(long, value_name = "SOURCE", value_parser = NonEmptyStringValueParser::new())]
    pub owner: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    pub targets: Targets,
    /// How to print problems.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub owner: Owner,
    /// Show what would be planned at that time, like 2027-03-28T02:30+01:00, if the cloud were as it is now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<jiff::Timestamp>,
    /// Exit with 2 where changes are pending.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub owner: Owner,
    /// Keep trying for so long, like 30m, while the cloud has no machine of the type free.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub wait_for_stock: Option<std::time::Duration>,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub owner: Owner,
    /// Do not ask. Needs --destroy-data NAME for each instance whose data goes.
    #[arg(short, long)]
    pub yes: bool,
    /// Keep snapshots and images, and take last ones of the disks first.
    #[arg(long)]
    pub keep_snapshots: bool,
    /// Confirms, beside --yes, that the data of this instance goes.
    #[arg(long, value_name = "NAME")]
    pub destroy_data: Vec<String>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Adopt {
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub owner: Owner,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Approve {
    /// The commit to go on from: its name, or the first seven digits of it, or more.
    pub commit: String,
    /// The repository, as the watch names it.
    #[arg(value_name = "REPOSITORY")]
    pub repository: PathBuf,
    /// The branch of the repository; main where it is not named.
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// The directory of specs within the repository.
    #[arg(long, value_name = "DIR")]
    pub path: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Watch {
    /// Spec files, and directories of specs; or one Git repository: git+ssh://…, https://…, or its path beside --branch.
    #[arg(value_name = "FILE|DIR|REPOSITORY", required = true)]
    pub paths: Vec<PathBuf>,
    /// The branch of the repository; main where it is not named.
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// The directory of specs within the repository.
    #[arg(long, value_name = "DIR")]
    pub path: Option<String>,
    /// How often to ask the repository for a newer commit, at most.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1m")]
    pub poll: std::time::Duration,
    #[command(flatten)]
    pub owner: Owner,
    /// How often to look at the cloud, at most, while nothing happens.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5m")]
    pub every: std::time::Duration,
    /// Show a page, metrics and health over HTTP at this address; a port alone is for this machine only.
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = crate::watch::address)]
    pub listen: Option<std::net::SocketAddr>,
    #[command(flatten)]
    pub notify: super::notify::Notify,
    /// The file whose first line is the token that opens the page, and with which it takes orders; else CLOUDYPAD_TOKEN.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub token_file: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub owner: Owner,
    /// Go on, and show again what changes: in place on a terminal, else a line, or an object, for each change.
    #[arg(short, long)]
    pub watch: bool,
    /// With --watch: how often to look at the cloud.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s", requires = "watch")]
    pub every: std::time::Duration,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Shape,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Describe {
    #[command(flatten)]
    pub targets: Targets,
    #[command(flatten)]
    pub owner: Owner,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Shape,
}

#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// The instance, as NAME or NAMESPACE/NAME; all of them, if missing.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The run whose story to tell: its id, or the end of it.
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// How many runs to list, the last ones.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// The spec file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to set below `spec`, like serverState=absent or rootDisk.sizeGb=40.
    #[arg(value_name = "KEY=VALUE", required = true)]
    pub assignments: Vec<String>,
    /// Which instance, where the file holds several.
    #[arg(short, long)]
    pub name: Option<String>,
    /// Apply the file afterwards.
    #[arg(long)]
    pub apply: bool,
    /// With --apply: do not ask.
    #[arg(short, long)]
    pub yes: bool,
}

/// A vendor whose API can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Vendor {
    /// Scaleway: instances, block storage, marketplace, SSH keys, DNS.
    Scaleway,
    /// Linode: instances, disks, images, volumes, firewalls, addresses, DNS, account events.
    Linode,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Emulator {
    /// Whose API.
    #[arg(long, value_enum)]
    pub provider: Vendor,
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// The directory of the cloud, which is made if need be.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// How many cloud seconds pass in a second; as before if missing, at first 1.
    #[arg(long, value_name = "N", conflicts_with = "manual_clock")]
    pub speed: Option<f64>,
    /// The only token that is taken; any, if missing.
    #[arg(long, value_name = "TOKEN", value_parser = NonEmptyStringValueParser::new())]
    pub token: Option<String>,
    /// Time stands still until it is moved by a request.
    #[arg(long)]
    pub manual_clock: bool,
    /// The two numbers that servers' addresses begin with, like 127.18, where something here plays the servers.
    #[arg(long, value_name = "N.N", value_parser = network)]
    pub network: Option<[u8; 2]>,
    /// What the ids of a new cloud are made from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// A time as people write it: `90s`, `30m`, `1h 30m`.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|it| std::time::Duration::try_from(it).ok());
    parsed.ok_or_else(|| "write a time like 90s, 30m or 1h 30m".to_owned())
}

/// A moment as specs write it.
fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    let parsed = text.parse::<Moment>().map(|it| it.at());
    parsed.map_err(|why| format!("{why}: write one like 2026-11-24T23:00+01:00 or 2026-11-24T23:00[Europe/Paris]"))
}

/// The first two numbers of addresses.
fn network(text: &str) -> Result<[u8; 2], String> {
    let numbers = text.split_once('.').and_then(|(first, second)| Some([first.parse().ok()?, second.parse().ok()?]));
    numbers.ok_or_else(|| "write two numbers up to 255, like 127.18".to_owned())
}
