//! `pair`: tells Sunshine the PIN that Moonlight shows.

use super::{
    Exit, Failure, Outcome,
    args::Pair,
    complain,
    hands::Case,
    print, prompt,
    ssh::{barred, way_in},
    stop::told_to_stop,
};
use crate::{
    machine::{Inside, Play, SunshinePage, Unpaired, find_secret},
    model::spec::{Ansible, SecretSource, Variable},
    report::plain,
};
use std::path::Path;

/// The user of Sunshine's page where nobody says otherwise, as the playbook of examples/gaming makes it.
const USER: &str = "cloudypad";
/// The secret of a playbook that is the password of Sunshine's page.
const PASSWORD: &str = "sunshine_password";

/// Pairs a client of Moonlight with the streaming server of an instance.
pub(crate) async fn pair(args: Pair) -> Outcome {
    let (case, way) = match way_in(&args.instance.as_targets()).await? {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let user = args.user.clone().unwrap_or_else(|| user(&case.inside));
    let password = password(&args, &case)?;
    let pin = match args.pin {
        Some(pin) => pin,
        None => four_digits(&prompt::word("The PIN that Moonlight shows: ", "add --pin and the four digits that Moonlight shows")?)
            .map_err(Failure::new)?,
    };
    let stop = told_to_stop()?;
    let cut = async {
        match tokio::time::timeout(args.timeout, stop).await {
            Ok(()) => Unpaired::Stopped,
            Err(_) => Unpaired::Silent,
        }
    };
    let page = SunshinePage { way: &way, port: args.port, user: &user, password: &password };
    let key = &case.ask.key;
    let Err(why) = page.pair(&pin, &args.name, cut).await else {
        print(&format!("paired: {} may stream from {key}\n", plain(&args.name)));
        return Ok(Exit::Done);
    };
    let port = args.port;
    let (what, remedy) = match why {
        Unpaired::Stopped => {
            complain("stopped; whether Sunshine took the PIN is not known: Moonlight shows it until it is paired");
            return Ok(Exit::Interrupted);
        }
        Unpaired::Barred(why) => return Err(barred(why)),
        Unpaired::NotUp => (
            format!("nothing listens on port {port} of the machine: Sunshine is not up"),
            format!(
                "wait a minute, if it was just started; else look: cloudypad ssh {key} -- systemctl status cloudypad-sunshine, or docker ps -a"
            ),
        ),
        Unpaired::WrongPassword => (
            format!("Sunshine does not take the user {user} with that password"),
            "give those that its page takes: --user, and --password-env or --password-file".to_owned(),
        ),
        Unpaired::NoPassword => (
            "Sunshine has no user and password yet".to_owned(),
            format!("have the playbook set them, or set them on its page: cloudypad ssh {key} -L {port}:localhost:{port}"),
        ),
        Unpaired::NobodyWaits => (
            "Sunshine paired nobody: no client waits with this PIN".to_owned(),
            "choose the machine in Moonlight first, and give the PIN while Moonlight shows it: it goes with its window".to_owned(),
        ),
        Unpaired::Strange(answer) => (
            format!("what answers on port {port} of the machine does not speak as Sunshine does: {answer}"),
            format!(
                "see what runs there: cloudypad ssh {key} -- docker ps; or pair on its page: cloudypad ssh {key} -L {port}:localhost:{port}"
            ),
        ),
        Unpaired::Silent => (
            format!("no answer within {} s", args.timeout.as_secs_f64()),
            "see whether Moonlight is paired all the same; else begin anew there, and give the new PIN".to_owned(),
        ),
    };
    Err(Failure::new(format!("{what}\n  you can: {remedy}")))
}

/// A PIN as Moonlight shows it.
pub(super) fn four_digits(text: &str) -> Result<String, String> {
    let fits = text.len() == 4 && text.bytes().all(|it| it.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err("a PIN of Moonlight is four digits, like 0123".to_owned()) }
}

/// The playbooks of an instance with their files.
fn playbooks(inside: &Inside) -> impl Iterator<Item = (&Path, &Ansible)> {
    let plays = [&inside.recipe.once, &inside.recipe.on_start].into_iter().flatten();
    plays.filter_map(|it| match it {
        Play::Playbook { path, ansible } => Some((path.as_path(), ansible)),
        Play::Script(_) => None,
    })
}

/// A variable of a playbook that says something.
fn said<'a>(ansible: &'a Ansible, name: &str) -> Option<&'a String> {
    match ansible.variables.get(name) {
        Some(Variable::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn user(inside: &Inside) -> String {
    playbooks(inside).find_map(|(_, it)| said(it, "sunshine_user")).cloned().unwrap_or_else(|| USER.to_owned())
}

/// The password of Sunshine's page: where the command line says, else where the playbook finds it.
fn password(args: &Pair, case: &Case) -> Result<String, Failure> {
    if args.password_env.is_some() || args.password_file.is_some() {
        let file = args.password_file.as_ref().map(|it| it.to_string_lossy().into_owned());
        let source = SecretSource { env: args.password_env.clone(), file };
        return Ok(find_secret(PASSWORD, &source, &|text| std::path::absolute(text).ok())?);
    }
    for (path, ansible) in playbooks(&case.inside) {
        if let Some(source) = ansible.secrets.get(PASSWORD) {
            return Ok(find_secret(PASSWORD, source, &*case.inside.resolve)?);
        }
        let (env, file) = (said(ansible, "sunshine_password_env").cloned(), said(ansible, "sunshine_password_file").cloned());
        if env.is_some() || file.is_some() {
            // A playbook finds its files beside it.
            let beside = |text: &str| {
                let own = path.parent().unwrap_or(Path::new("")).join(text);
                if text.starts_with('~') { (case.inside.resolve)(text) } else { Some(own) }
            };
            return Ok(find_secret(PASSWORD, &SecretSource { env, file }, &beside)?);
        }
    }
    Err(Failure::new(format!(
        "which password does Sunshine's page take? The configuration of {} names none (secrets.{PASSWORD}, or the variable \
         {PASSWORD}_env or {PASSWORD}_file)\n  you can: add --password-env VARIABLE or --password-file FILE",
        case.ask.key
    )))
}
