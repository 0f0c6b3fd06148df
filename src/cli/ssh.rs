//! `ssh`: into a server that runs, checked to be the one that was made.

use super::{
    Exit, Failure, Outcome,
    args::{Ssh, Targets},
    hands::{self, Case},
    target::Unnamed,
};
use crate::{
    machine::{Barred, Reach, Way},
    model::{Power, spec::Machine},
    run::reach,
};
use std::{io::IsTerminal, os::unix::process::CommandExt, process::Command};

/// The one instance that is meant, and the way into its server. `Err` carries the exit where specs have problems.
pub(super) async fn way_in(targets: &Targets) -> Result<Result<(Case, Way), Exit>, Failure> {
    let mut cases = match hands::cases(targets, Unnamed::Refused, None, None)? {
        Ok(cases) => cases.cases,
        Err(exit) => return Ok(Err(exit)),
    };
    let (Some(case), true) = (cases.pop(), cases.is_empty()) else {
        return Err(Failure::new("several instances are meant: say which one"));
    };
    if case.ask.spec.provider.local.as_ref().is_some_and(|it| it.machine == Machine::None) {
        let without = "is on the local cloud, where nothing runs without machine: qemu: there is no guest to log in to";
        return Err(Failure::new(format!("{} {without}", case.ask.key)));
    }
    let reach = running(&case).await?;
    let way = case.inside.known_way(&reach).await.map_err(barred)?;
    Ok(Ok((case, way)))
}

/// What somebody who is not let in is told.
pub(super) fn barred(barred: Barred) -> Failure {
    match barred {
        Barred::Shut { why, remedy } => Failure::new(format!("{why}\n  you can: {remedy}")),
        Barred::NotYet(why) => Failure::new(format!("{why}\n  you can: try again in a minute, if it was just started")),
    }
}

/// Becomes `ssh`, in the right place.
pub(crate) async fn ssh(args: Ssh) -> Outcome {
    let (_, way) = match way_in(&args.instance.as_targets()).await? {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let mut ssh = Command::new("ssh");
    // Forwarding alone needs no command, and a command given needs no terminal.
    for forward in &args.forward {
        ssh.args(["-L", forward]);
    }
    if !std::io::stdin().is_terminal() {
        ssh.arg("-T");
    } else if !args.command.is_empty() {
        ssh.arg("-t");
    }
    // A connection that is open already was checked by nobody of ours.
    ssh.args(["-o", "ControlPath=none"]).args(way.arguments());
    if !args.command.is_empty() {
        ssh.arg("--").args(&args.command);
    }
    for variable in &way.withheld {
        ssh.env_remove(variable);
    }
    let error = ssh.exec();
    Err(Failure::new(format!("cannot run ssh: {error}; install OpenSSH's client (Debian: openssh-client)")))
}

/// How the server of an instance can be reached, where it runs.
async fn running(case: &Case) -> Result<Reach, Failure> {
    let key = &case.ask.key;
    let world = case.look().await;
    let Some(server) = world.servers.items().iter().find(|it| it.power == Power::Running) else {
        let now = world.servers.items().first().map_or("it has no server".to_owned(), |it| format!("its server is {}", it.power));
        return Err(Failure::new(format!("{key} does not run: {now}\n  you can: cloudypad set {key} serverState=present --apply")));
    };
    reach(&world, server).ok_or_else(|| Failure::new(format!("the server of {key} has no address yet")))
}
