//! Births: what a Linode is made from, and whether it can be had at all.

use super::{
    Linode,
    act::{TOO_MANY_RULES, image_path, number, unable},
    client::Unread,
    labels::{LINODE, label},
    look::{MIB, ROOT_GB},
    rules,
    stock::cheapest_gpus,
    wire,
};
use crate::{
    model::{Boot, HOST, NewServer, Power, Root, Tags, World},
    provider::{
        Problem,
        client::{Kind, Refused},
        http::Request,
        some,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The swap disk that every Linode gets, in MiB.
const SWAP: u64 = 512;

impl Linode {
    pub(super) async fn create_server(&self, new: &NewServer) -> Result<String, Problem> {
        let image = match &new.boot {
            Boot::Stock(image) => image.as_str(),
            Boot::Image(id) => id.as_str(),
            Boot::Volume(_) => return Err(unable("boot from a volume")),
        };
        let region = self.region().await?;
        let can = |what: &str| region.capabilities.iter().any(|it| it == what);
        let first_boot = (self.seed)().map_err(|answer| Problem::Refused { answer, remedy: None })?;
        let label = label(&new.name, LINODE);
        let tags = new.tags.clone().with_value(ROOT_GB, &new.root_gb.to_string()).with_value(HOST, &first_boot.fingerprint);
        let mut body = json!({
            "label": label, "region": self.region, "type": new.machine_type, "image": image, "booted": false, "tags": tags.0,
            "backups_enabled": false, "boot_size": new.root_gb * MIB, "swap_size": SWAP, "kernel": "linode/grub2",
            // Nobody knows it: the owner's key opens the door.
            "root_pass": password()?,
        });
        if let Some(key) = &first_boot.authorized {
            body["authorized_keys"] = json!([key]);
        }
        if can("Metadata") && self.takes_first_boot(&new.boot).await? {
            body["metadata"] = json!({"user_data": STANDARD.encode(first_boot.document.reveal())});
        }
        if can("Disk Encryption") || can("LA Disk Encryption") {
            body["disk_encryption"] = json!("enabled");
        }
        let firewall = new.firewall.as_ref().map(|it| number(it.as_str()));
        let address = new.address.as_ref().map(|it| it.as_str());
        if self.only_new_interfaces().await? {
            body["interface_generation"] = json!("linode");
            let primary = json!({"address": address.unwrap_or("auto"), "primary": true});
            let public = json!({"ipv4": {"addresses": [primary]}, "ipv6": {}});
            body["interfaces"] = json!([{"firewall_id": firewall.unwrap_or(json!(-1)), "public": public}]);
        } else {
            body["interface_generation"] = json!("legacy_config");
            // Without one of ours the account's default would do: it may let in more.
            body["firewall_id"] = firewall.unwrap_or(json!(-1));
            if let Some(address) = address {
                body["interfaces"] = json!([{"purpose": "public"}]);
                body["ipv4"] = json!([address]);
            }
        }
        self.make_named("/linode/instances", body, &label).await
    }

    async fn region(&self) -> Result<wire::Region, Problem> {
        let found = self.find(&format!("/regions/{}", self.region)).await.map_err(|it| it.problem())?;
        found.ok_or_else(|| refused(format!("Linode has no region {}", self.region), "write a region that `linode-cli regions list` shows"))
    }

    /// Whether an image takes first-boot data. A capture of ours does.
    async fn takes_first_boot(&self, boot: &Boot) -> Result<bool, Problem> {
        let Boot::Stock(image) = boot else { return Ok(true) };
        let found: Option<wire::Image> = self.find(&image_path(image)).await.map_err(|it| it.problem())?;
        Ok(found.is_some_and(|it| it.capabilities.iter().any(|it| it == "cloud-init")))
    }

    /// Whether the account takes nothing but interfaces of the new kind. A token that may not look makes the usual one.
    pub(super) async fn only_new_interfaces(&self) -> Result<bool, Problem> {
        match self.find::<wire::Settings>("/account/settings").await {
            Ok(settings) => Ok(settings.and_then(|it| it.interfaces_for_new_linodes).is_some_and(|it| it == "linode_only")),
            Err(Unread::Refused(refusal)) if matches!(refusal.kind(), Kind::Unauthenticated | Kind::Denied) => Ok(false),
            Err(unread) => Err(unread.problem()),
        }
    }

    /// Whether a server as the spec says can be had here, as far as that can be known beforehand.
    pub(super) async fn can_be_had(&self, world: &World) -> Result<(), Problem> {
        let server = world.servers.items().first();
        let wanted_image = self.named_image.as_deref();
        let of_other_image = |tags: &Tags| wanted_image.is_some_and(|named| tags.get("img").is_some_and(|born| born != named));
        let is_born = server.is_none_or(|it| of_other_image(&it.tags));
        // Powering off needs nothing that could be had or not.
        let is_to_stop = self.keeps_off && server.is_some_and(|it| it.power == Power::Running);
        if !self.keeps_server || is_to_stop || (!is_born && server.is_some_and(|it| it.machine_type == self.machine_type)) {
            return Ok(());
        }
        let region = self.region().await?;
        let can = |what: &str| region.capabilities.iter().any(|it| it == what);
        if self.has_data && !can("Block Storage") {
            let answer = format!("region {} has no volumes", self.region);
            return Err(refused(answer, "write another region, or leave dataDisk out"));
        }
        let problem = |unread: Unread| unread.problem();
        let plan: Option<wire::Type> = self.find(&format!("/linode/types/{}", self.machine_type)).await.map_err(problem)?;
        let Some(plan) = plan else {
            let types = self.types().await.unwrap_or_default();
            let remedy = match cheapest_gpus(&types).as_slice() {
                [] => "write a type that `linode-cli linodes types` shows".to_owned(),
                gpus => format!("write another instanceType, like {}", some(gpus)),
            };
            return Err(refused(format!("Linode has no type {}", self.machine_type), &remedy));
        };
        if plan.gpus > 0 && !can("GPU Linodes") {
            let answer = format!("region {} has no Linodes with a GPU", self.region);
            return Err(refused(answer, &self.instead_of(&self.machine_type).await));
        }
        let root_gb = match server.map(|it| &it.root) {
            Some(Root::Local { size_gb }) if !is_born => *size_gb,
            _ => self.root_gb,
        };
        if root_gb * MIB + SWAP > plan.disk {
            let most = plan.disk.saturating_sub(SWAP) / MIB;
            let answer = format!("the root disk has {root_gb} GB, and {} has room for {most} GB", self.machine_type);
            let remedy =
                if is_born { format!("write {most} or less, or another instanceType") } else { "write another instanceType".to_owned() };
            return Err(refused(answer, &remedy));
        }
        let free: Vec<wire::Availability> =
            self.find(&format!("/regions/{}/availability", self.region)).await.map_err(problem)?.unwrap_or_default();
        if free.iter().any(|it| it.plan == self.machine_type && !it.available) {
            return Err(Problem::OutOfStock { answer: format!("{} is sold out in {}", self.machine_type, self.region) });
        }
        rules::grouped(&self.rules).map_err(|answer| refused(answer, TOO_MANY_RULES))?;
        let captured = world.images.items().iter().any(|it| !of_other_image(&it.tags));
        if is_born && !captured {
            match self.find::<wire::Image>(&image_path(&self.image)).await.map_err(problem)? {
                None => {
                    return Err(refused(format!("Linode has no image {}", self.image), "write one that `linode-cli images list` shows"));
                }
                Some(it) if it.size.div_ceil(MIB) > self.root_gb => {
                    let answer = format!("the image {} needs a disk of {} GB", self.image, it.size.div_ceil(MIB));
                    return Err(refused(answer, "write a larger rootDisk.sizeGb"));
                }
                Some(it) if it.deprecated => tracing::warn!(image = %self.image, "the image is deprecated"),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Every type.
    pub(super) async fn types(&self) -> Result<Vec<wire::Type>, Unread> {
        Ok(self.estate.client.list::<wire::Type>(&Request::get("/linode/types")).await?.items)
    }
}

/// A password that meets every rule, from the system's random numbers.
fn password() -> Result<Value, Problem> {
    let mut bytes = [0; 36];
    let random = rustls::crypto::ring::default_provider().secure_random;
    let fault = |_| Problem::NotDone { answer: "the system gave no random numbers".to_owned(), pause: None };
    random.fill(&mut bytes).map_err(fault)?;
    Ok(json!(format!("Aa1-{}", STANDARD.encode(bytes))))
}

fn refused(answer: String, remedy: &str) -> Problem {
    Problem::Refused { answer, remedy: Some(remedy.to_owned()) }
}
