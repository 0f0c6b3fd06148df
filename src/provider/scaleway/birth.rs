//! Births: what servers and volumes are made from, and whether they can be had at all.

use super::{
    super::client::{Kind, Refused},
    Scaleway,
    act::unable,
    client::Changed,
    look::GB,
    stock::cheapest_gpus,
    wire,
};
use crate::{
    model::{Boot, HOST, NewServer, NewVolume, Role, World, tag_value},
    provider::{Problem, http::Request, some},
};
use serde_json::{Map, Value, json};

impl Scaleway {
    pub(super) async fn create_volume(&self, new: &NewVolume) -> Result<String, Problem> {
        let size = new.size_gb * GB;
        let mut body = json!({"name": new.name, "project_id": self.project, "perf_iops": new.iops.unwrap_or(5000), "tags": new.tags.0});
        match &new.from {
            Some(snapshot) => body["from_snapshot"] = json!({"snapshot_id": snapshot.as_str(), "size": size}),
            None => body["from_empty"] = json!({"size": size}),
        }
        let made = self.zone.client.make(&Request::post(self.zone.block("volumes"), body), |it: wire::Volume| it.id).await;
        made.map_err(|changed| match changed {
            Changed::Refused(refusal) if refusal.kind() == Kind::Precondition => Problem::Refused { answer: refusal.said(), remedy: None },
            changed => changed.into(),
        })
    }

    pub(super) async fn create_server(&self, new: &NewServer) -> Result<String, Problem> {
        let mut volumes = Map::new();
        // The key that the server is given before its first boot.
        let first_boot = (self.seed)().map_err(|answer| Problem::Refused { answer, remedy: None })?;
        let tags = new.tags.clone().with_value(HOST, &first_boot.fingerprint);
        let mut body = json!({
            "name": new.name, "commercial_type": new.machine_type, "project": self.project, "dynamic_ip_required": false,
            "boot_type": "local", "tags": tags.0,
        });
        match &new.boot {
            Boot::Stock(label) => {
                body["image"] = json!(self.image(label, &new.machine_type).await?);
                volumes.insert("0".to_owned(), json!({"volume_type": "sbs_volume", "size": new.root_gb * GB, "boot": false}));
            }
            // Without an image, or the image would be what it boots.
            Boot::Volume(id) => {
                volumes.insert("0".to_owned(), json!({"id": id.as_str(), "volume_type": "sbs_volume", "boot": false}));
            }
            Boot::Image(_) => return Err(unable("boot from images of local disks")),
        }
        if let Some(data) = &new.data {
            volumes.insert("1".to_owned(), json!({"id": data.as_str(), "volume_type": "sbs_volume"}));
        }
        body["volumes"] = Value::Object(volumes);
        if let Some(address) = &new.address {
            body["public_ips"] = json!([address.as_str()]);
        }
        if let Some(firewall) = &new.firewall {
            body["security_group"] = json!(firewall.as_str());
        }
        let made = self.zone.client.make(&Request::post(self.zone.instance("servers"), body), |it: wire::InServer| it.server.id).await;
        match made {
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::OutOfStock => Err(Problem::OutOfStock { answer: refusal.said() }),
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::Invalid => {
                Err(Problem::Refused { answer: refusal.said(), remedy: self.type_remedy(&new.machine_type).await })
            }
            // A volume that is not free yet, an address that is not there: the next look tells.
            made => Ok(made?),
        }
    }

    /// Whether what the wish would make or change next can be had: its type, and the image of a first deploy.
    pub(super) async fn can_be_had(&self, world: &World) -> Result<(), Problem> {
        let servers = world.servers.items();
        let changes = servers.iter().any(|it| it.machine_type != self.machine_type);
        if !self.keeps_server || !(servers.is_empty() || changes) {
            return Ok(());
        }
        let types = self.types().await.map_err(|it| it.problem())?;
        if let Some(remedy) = remedy_for(&types, &self.machine_type, &self.zone.name) {
            let answer = format!("there is no type {} in {}", self.machine_type, self.zone.name);
            return Err(Problem::Refused { answer, remedy: Some(remedy) });
        }
        let has_root = world.volumes.items().iter().any(|it| it.tags.role() == Some(Role::Root));
        let born = tag_value("img", &self.image);
        let captured = world.copies(Role::Root).iter().any(|it| it.tags().get("img").is_none_or(|it| it == born));
        if servers.is_empty() && !has_root && !captured {
            self.image(&self.image, &self.machine_type).await?;
        }
        Ok(())
    }

    /// The id of a marketplace image that this zone has for a type.
    async fn image(&self, label: &str, machine_type: &str) -> Result<String, Problem> {
        let request = Request::get("/marketplace/v2/local-images");
        let request = request.with("image_label", label).with("zone", self.zone.name.clone()).with("type", "instance_sbs");
        let request = request.with("order_by", "type_asc").with("page_size", "100");
        let found: Option<wire::LocalImages> = self.zone.client.find(&request).await.map_err(|it| it.problem())?;
        let refused = |answer: String, remedy: &str| Err(Problem::Refused { answer, remedy: Some(remedy.to_owned()) });
        let images = found.map(|it| it.local_images).unwrap_or_default();
        if images.is_empty() {
            let answer = format!("the marketplace has no image {label} for block volumes in {}", self.zone.name);
            return refused(answer, "write a label that `scw marketplace image list` shows, like ubuntu_jammy_gpu_os_12");
        }
        let fits = |it: &&wire::LocalImage| it.compatible_commercial_types.iter().any(|kind| kind == machine_type);
        match images.iter().find(fits) {
            Some(image) => Ok(image.id.clone()),
            None => {
                if let Some(remedy) = self.type_remedy(machine_type).await {
                    return refused(format!("there is no type {machine_type} in {}", self.zone.name), &remedy);
                }
                let kinds: Vec<&str> = images.iter().map(|it| it.arch.as_str()).collect();
                let answer = format!("the image {label} ({}) does not run on {machine_type} in {}", kinds.join(", "), self.zone.name);
                refused(answer, "write another image, or check instanceType and zone")
            }
        }
    }

    /// What to do where the request made no sense, if the type is not one of the zone's.
    pub(super) async fn type_remedy(&self, machine_type: &str) -> Option<String> {
        let types = self.types().await.ok()?;
        remedy_for(&types, machine_type, &self.zone.name)
    }
}

/// What to write in place of a type that the zone does not have; `None` where it has it, spelt so.
fn remedy_for(types: &[(String, wire::ServerType)], machine_type: &str, zone: &str) -> Option<String> {
    if types.iter().any(|(name, _)| name == machine_type) {
        return None;
    }
    if let Some((name, _)) = types.iter().find(|(name, _)| name.eq_ignore_ascii_case(machine_type)) {
        return Some(format!("write instanceType: {name}"));
    }
    Some(match cheapest_gpus(types).as_slice() {
        [] => format!("write another zone: {zone} has no type with a GPU"),
        gpus => format!("write another instanceType, like {}", some(gpus)),
    })
}
