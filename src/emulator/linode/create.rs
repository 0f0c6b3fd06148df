//! How a Linode is made.

use serde_json::{Value, json};

use super::catalogue::is_sold_out;
use super::deploy::{self, Source};
use super::details::{Backups, LinodeDetails, Status};
use super::events::Entity;
use super::input::Fields;
use super::jobs::{Work, order};
use super::linodes::{self, check_policy, check_unique, usual_alerts};
use super::plans::{self, Plan};
use super::problem::{invalid, no_capacity, over_quota, problems, refused};
use super::regions::{self, Region};
use super::{account, addresses, firewalls, interfaces, label};
use crate::emulator::face::route::change;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::ids::fold;
use crate::emulator::objects::{Server, ServerState};
use crate::emulator::physics::Deed;

/// The endpoint that makes Linodes.
pub static ROUTES: &[Route] = &[change("POST", "/linode/instances", create)];

/// The region and the plan of a new Linode.
///
/// Errors: 400, and 403 where no machine is free.
pub fn place(deed: &Deed, fields: &Fields) -> Result<(&'static Region, Plan), Answer> {
    let (region, plan) = (fields.text("region")?, fields.text("type")?);
    let missing = [(plan.is_none(), "type", "type is required"), (region.is_none(), "region", "region is required")];
    let missing: Vec<(&str, Option<&str>)> = missing.into_iter().filter(|it| it.0).map(|it| (it.2, Some(it.1))).collect();
    let (Some(region), Some(plan)) = (region, plan) else { return Err(problems(400, &missing)) };
    let region = regions::find(region).ok_or_else(|| invalid("region", "region is not valid"))?;
    let plan = plans::find(plan).ok_or_else(|| invalid("type", "A valid plan type by that ID was not found"))?;
    check_capacity(deed, region, &plan)?;
    Ok((region, plan))
}

/// Refuses a plan that no machine is free for.
pub fn check_capacity(deed: &Deed, region: &Region, plan: &Plan) -> Result<(), Answer> {
    if deed.turned_away || is_sold_out(&deed.truth, region, plan) || plan.offered(region) == Some(false) {
        Err(no_capacity())
    } else {
        Ok(())
    }
}

/// What a new guest is told.
///
/// Errors: 400, where it is no base 64, or too long.
pub fn user_data(fields: &Fields) -> Result<Option<String>, Answer> {
    let Some(metadata) = fields.object("metadata")? else { return Ok(None) };
    let Some(data) = metadata.text("user_data")? else { return Ok(None) };
    let field = metadata.path("user_data");
    let digits = data.trim_end_matches('=');
    let is_base64 = data.len() % 4 == 0
        && data.len() - digits.len() <= 2
        && digits.bytes().all(|digit| digit.is_ascii_alphanumeric() || b"+/-_".contains(&digit));
    if !is_base64 {
        return Err(invalid(&field, "Must be base64 encoded"));
    }
    if digits.len() * 3 / 4 > 65_535 {
        return Err(invalid(&field, "Decoded user_data must not exceed 65535 bytes"));
    }
    Ok(Some(data.to_owned()))
}

/// Refuses an image without anybody who may log in, and passwords that are too weak.
pub fn check_credentials(fields: &Fields) -> Result<Vec<String>, Answer> {
    let keys = fields.texts("authorized_keys")?.unwrap_or_default();
    let users = fields.texts("authorized_users")?.unwrap_or_default();
    let password = fields.text("root_pass")?;
    if password.is_none() && keys.is_empty() && users.is_empty() {
        return Err(refused("Must provide valid root_pass, authorized_keys, or authorized_users"));
    }
    if let Some(password) = password {
        if !(7..=128).contains(&password.chars().count()) {
            return Err(invalid("root_pass", "Length must be 7-128 characters"));
        }
        let kinds: [fn(&char) -> bool; 4] =
            [char::is_ascii_lowercase, char::is_ascii_uppercase, char::is_ascii_digit, |it| !it.is_ascii_alphanumeric()];
        let variety = kinds.iter().filter(|is_kind| password.chars().any(|it| is_kind(&it))).count();
        if variety < 2 && password.chars().count() < 16 {
            return Err(invalid("root_pass", "Password does not meet strength requirement."));
        }
    }
    let is_key =
        |key: &String| key.split_whitespace().nth(1).is_some() && ["ssh-", "ecdsa-", "sk-"].iter().any(|start| key.starts_with(start));
    if let Some(place) = keys.iter().position(|key| !is_key(key)) {
        return Err(invalid(&format!("authorized_keys[{place}]"), "SSH Key is invalid"));
    }
    Ok(keys)
}

/// What is to be on the disks of a new Linode.
struct Content {
    source: Source,
    root_mb: u64,
    swap_mb: u64,
    kernel: String,
    keys: Vec<String>,
}

fn content(deed: &Deed, fields: &Fields, plan: &Plan, region: &Region) -> Result<Option<Content>, Answer> {
    let Some(image) = fields.text("image")? else { return Ok(None) };
    let source = deploy::source(&deed.truth, image)?;
    let keys = check_credentials(fields)?;
    let (root_mb, swap_mb) = deploy::sizes(fields, plan, &source)?;
    let kernel = deploy::kernel(fields, "linode/grub2")?;
    check_metadata(fields, &source, region)?;
    Ok(Some(Content { source, root_mb, swap_mb, kernel, keys }))
}

/// Refuses user data that nobody would read: not every region hands it out, nor does every image ask for it.
pub fn check_metadata(fields: &Fields, source: &Source, region: &Region) -> Result<(), Answer> {
    let Some(metadata) = fields.object("metadata")?.filter(|metadata| metadata.get("user_data").is_some()) else { return Ok(()) };
    if !region.has("Metadata") {
        return Err(invalid(&metadata.path("user_data"), "Metadata is not available in this region."));
    }
    if !source.takes_user_data() {
        return Err(invalid(&metadata.path("user_data"), "The image does not support cloud-init."));
    }
    Ok(())
}

/// POST.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (region, plan) = place(deed, &fields)?;
    if let Some(name) = fields.text("label")? {
        label::check_linode(name)?;
        check_unique(deed, name)?;
    }
    let policy = fields.text("maintenance_policy")?;
    policy.map_or(Ok(()), check_policy)?;
    if fields.get("backup_id").is_some() {
        return Err(invalid("backup_id", "backup_id is not valid"));
    }
    let content = content(deed, &fields, &plan, region)?;
    let user_data = user_data(&fields)?;
    let tags = fields.tags()?.unwrap_or_default();
    let settings = account::settings(&deed.truth);
    let policy = policy.unwrap_or(&settings.maintenance_policy).to_owned();
    let backed_up = fields.flag("backups_enabled")?.unwrap_or(settings.backups_enabled);
    let (generation, own) = interfaces::of_new(deed, &fields)?;
    let encrypted = encryption(&fields, region)?;
    let booted = fields.flag("booted")?.unwrap_or(content.is_some());
    let group = fields.text("group")?.unwrap_or_default().to_owned();
    if deed.check_quota("server").is_err() {
        return Err(over_quota());
    }
    let id = deed.mint("linode");
    let name = fields.text("label")?.map_or_else(|| format!("linode{id}"), str::to_owned);
    let details = LinodeDetails {
        status: Status::Provisioning,
        group,
        alerts: usual_alerts(plan.vcpus),
        backups: Backups { enabled: backed_up, ..Backups::default() },
        watchdog: true,
        rescues: Vec::new(),
        host: host(deed, &id),
        user_data,
        keys: content.as_ref().map(|content| content.keys.clone()).unwrap_or_default(),
        placement_group: placement_group(&fields)?,
        encrypted,
        generation: generation.clone(),
        interfaces: own,
        maintenance_policy: policy,
        disks: Vec::new(),
        configs: Vec::new(),
        booted: None,
        jobs: Vec::new(),
        locks: Default::default(),
        updated: deed.now,
    };
    let image = content.as_ref().map(|content| content.source.id());
    birth(deed, region.id, &plan, &id, &name, tags, image, details)?;
    give_addresses(deed, &fields, region.id, &id, &generation)?;
    let secondary = content.as_ref().map(|content| content.source.entity());
    let made = Work::Create { image: content.is_some() };
    if let Some(content) = &content {
        deploy::deploy(deed, &id, &content.source, content.root_mb, content.swap_mb, &content.kernel)?;
        interfaces::into_profile(deed, &id, &fields)?;
    }
    order(deed, &id, "linode_create", secondary, made)?;
    if booted && content.is_some() {
        let config = deed.truth.linode.linodes.get(&id).and_then(|details| details.configs.first()).map(|config| config.id);
        order(deed, &id, "linode_boot", None, Work::Boot(config))?;
    }
    linodes::answer(&deed.truth, &id)
}

/// Adds a Linode without disks to the core.
#[allow(clippy::too_many_arguments, reason = "each is one thing a Linode is born with")]
pub fn birth(
    deed: &mut Deed,
    region: &str,
    plan: &Plan,
    id: &str,
    name: &str,
    tags: Vec<String>,
    image: Option<String>,
    details: LinodeDetails,
) -> Result<(), Answer> {
    let price = deed.truth.market.compute(region, plan.id)?;
    let server = Server {
        id: id.to_owned(),
        zone: region.to_owned(),
        name: name.to_owned(),
        kind: plan.id.to_owned(),
        state: ServerState::Stopped,
        created: deed.tick(),
        tags,
        image,
        root: None,
        volumes: Vec::new(),
        address: None,
        firewall: None,
        ever_started: false,
        off_since: None,
        protected: false,
        takes_local_disks: false,
        disks: Vec::new(),
    };
    deed.open_bill(id, "compute", name, price);
    deed.truth.servers.insert(id.to_owned(), server);
    deed.truth.linode.linodes.insert(id.to_owned(), details);
    Ok(())
}

/// The host a Linode is on: 40 digits.
pub fn host(deed: &Deed, id: &str) -> String {
    let seed = deed.truth.seed;
    let (a, b, c) = (fold(seed, &["host", id, "a"]), fold(seed, &["host", id, "b"]), fold(seed, &["host", id, "c"]));
    format!("{a:016x}{b:016x}{:08x}", c >> 32)
}

fn encryption(fields: &Fields, region: &Region) -> Result<bool, Answer> {
    let can = region.has("Disk Encryption");
    match fields.text("disk_encryption")? {
        None => Ok(can),
        Some("enabled") if can => Ok(true),
        Some("enabled") => Err(invalid("disk_encryption", "Disk encryption is not available in this region.")),
        Some("disabled") => Ok(false),
        Some(_) => Err(invalid("disk_encryption", "Must be one of enabled, disabled")),
    }
}

fn placement_group(fields: &Fields) -> Result<Option<Value>, Answer> {
    let Some(group) = fields.object("placement_group")? else { return Ok(None) };
    let Some(id) = group.number("id")? else { return Ok(None) };
    Ok(Some(json!({
        "id": id,
        "label": format!("pg-{id}"),
        "placement_group_type": "anti_affinity:local",
        "placement_group_policy": "strict",
        "migrating_to": null,
    })))
}

/// Gives a new Linode its addresses, and puts it behind its firewall.
fn give_addresses(deed: &mut Deed, fields: &Fields, region: &str, id: &str, generation: &str) -> Result<(), Answer> {
    let is_legacy = generation == "legacy_config";
    match fields.texts("ipv4")? {
        Some(wanted) => addresses::take_reserved(deed, &wanted, region, id)?,
        None if is_legacy => drop(addresses::allocate(deed, region, id)?),
        None => interfaces::give_public(deed, fields, region, id)?,
    }
    if fields.flag("private_ip")? == Some(true) {
        addresses::allocate_private(deed, region, id)?;
    }
    let firewall = match fields.number("firewall_id")? {
        Some(_) if !is_legacy => return Err(invalid("firewall_id", "firewall_id is not allowed with Linode interfaces")),
        Some(-1) => None,
        Some(firewall) => Some(u64::try_from(firewall).map_err(|_| invalid("firewall_id", "firewall_id is not valid"))?),
        None if is_legacy => firewalls::default_for(&deed.truth, "linode"),
        None => None,
    };
    if let Some(firewall) = firewall {
        firewalls::protect(deed, firewall, id)?;
    }
    if is_legacy { Ok(()) } else { firewalls::protect_interfaces(deed, id) }
}

/// How events name an image of the vendor's own or of the account.
pub fn image_entity(id: &str, name: &str) -> Entity {
    match id.strip_prefix("private/") {
        Some(number) => Entity::new("image", number, name, &format!("/images/{id}")),
        None => Entity::new("image", id, name, &format!("/images/{id}")),
    }
}
