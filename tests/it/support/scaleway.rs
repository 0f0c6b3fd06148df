//! Scaleway, for tests of it.

use super::vendor::Vendor;

/// The secret key that tests send.
pub const SECRET: &str = "5ec2e700-0000-4000-8000-5ec2e75ec2e7";

/// The project that tests pay with.
pub const PROJECT: &str = "11111111-1111-4111-8111-111111111111";

pub static SCALEWAY: Vendor = Vendor {
    name: "scaleway",
    url_variable: "SCW_API_URL",
    key_variable: "SCW_SECRET_KEY",
    key: SECRET,
    stranger: "X-Auth-Token: a-stranger",
    plain,
    pad,
};

fn plain(path: &str) -> String {
    let is_id = |it: &str| it.len() == 36 && it.matches('-').count() == 4;
    let zoned = path.splitn(6, '/').nth(5).filter(|_| path.contains("/zones/")).unwrap_or(path.trim_start_matches('/'));
    zoned.split('/').filter(|it| !is_id(it)).collect::<Vec<_>>().join("/")
}

/// The reference spec at Scaleway, with more lines below `spec:`.
pub fn pad(state: &str, more: &str) -> String {
    format!(
        "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata:\n  name: mypad\nspec:\n  serverState: {state}\n  provider:\n    \
         scaleway:\n      projectId: {PROJECT}\n      zone: fr-par-2\n      instanceType: L4-1-24G\n  rootDisk:\n    sizeGb: 30\n  \
         dataDisk:\n    sizeGb: 100\n  rootDiskSnapshot:\n    enable: true\n  dataDiskSnapshot:\n    enable: true\n{more}"
    )
}
