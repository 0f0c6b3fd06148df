//! Linode, for tests of it.

use super::vendor::Vendor;

/// The token that tests send.
pub const TOKEN: &str = "70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce70ce";

pub static LINODE: Vendor = Vendor {
    name: "linode",
    url_variable: "LINODE_URL",
    key_variable: "LINODE_TOKEN",
    key: TOKEN,
    stranger: "Authorization: Bearer a-stranger",
    plain,
    pad,
};

/// Ids are numbers, but for images, which are `private/NUMBER`, and addresses.
fn plain(path: &str) -> String {
    let is_id = |it: &str| it == "private" || it.starts_with(|first: char| first.is_ascii_digit());
    let parts = path.trim_start_matches('/').split('/').skip(1);
    parts.filter(|it| !is_id(it)).collect::<Vec<_>>().join("/")
}

/// The reference spec at Linode, its root captured again at every archive, with more lines below `spec:`.
pub fn pad(state: &str, more: &str) -> String {
    format!(
        "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata:\n  name: mypad\nspec:\n  serverState: {state}\n  provider:\n    \
         linode:\n      region: fr-par\n      instanceType: g2-gpu-rtx4000a1-s\n  rootDisk:\n    sizeGb: 30\n  dataDisk:\n    \
         sizeGb: 100\n  rootDiskSnapshot:\n    enable: true\n    onStop: refresh\n{more}"
    )
}
