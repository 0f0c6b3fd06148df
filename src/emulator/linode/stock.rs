//! The vendor's own images.

use serde_json::{Value, json};

/// An image that everybody may deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockImage {
    /// Its id in requests, behind `linode/`.
    slug: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// The smallest disk it fits on, in MB.
    pub size: u64,
    /// Who makes what is on it.
    pub vendor: &'static str,
    /// When it came, a day.
    since: &'static str,
    /// When its maker's support ends, a day; empty if never.
    end: &'static str,
    /// `c` takes user data, `d` may be deployed at the edge.
    letters: &'static str,
    /// Whether it is on its way out.
    pub deprecated: bool,
}

/// Slug, label, size, vendor, first and last day, letters.
type Row = (&'static str, &'static str, u64, &'static str, &'static str, &'static str, &'static str);

const CURRENT: [Row; 28] = [
    ("almalinux10", "AlmaLinux 10", 3500, "AlmaLinux", "2025-06-16", "2035-05-31", "c"),
    ("almalinux8", "AlmaLinux 8", 4000, "AlmaLinux", "2021-05-26", "2029-03-01", "cd"),
    ("almalinux9", "AlmaLinux 9", 2500, "AlmaLinux", "2022-06-28", "2032-05-31", "cd"),
    ("alpine3.21", "Alpine 3.21", 500, "Alpine", "2024-12-11", "2026-11-01", "c"),
    ("alpine3.22", "Alpine 3.22", 500, "Alpine", "2025-06-10", "2027-05-01", "c"),
    ("alpine3.23", "Alpine 3.23", 500, "Alpine", "2025-12-09", "2027-11-01", "c"),
    ("arch", "Arch Linux", 2500, "Arch", "2016-06-13", "", "c"),
    ("centos-stream10", "CentOS Stream 10", 3500, "CentOS", "2025-01-21", "2030-01-01", "c"),
    ("centos-stream9", "CentOS Stream 9", 2400, "CentOS", "2021-12-17", "2027-05-31", "cd"),
    ("debian11", "Debian 11", 1500, "Debian", "2021-08-14", "2026-08-31", "cd"),
    ("debian12", "Debian 12", 1800, "Debian", "2023-06-12", "2028-06-30", "cd"),
    ("debian13", "Debian 13", 1800, "Debian", "2025-08-12", "2030-06-30", "cd"),
    ("fedora43", "Fedora 43", 3000, "Fedora", "2025-10-29", "2026-12-02", "c"),
    ("gentoo", "Gentoo", 7000, "Gentoo", "2011-11-08", "", "c"),
    ("kali", "Kali Linux", 1536, "Kali", "2022-10-20", "", "c"),
    ("debian12-kube-v1.33.10", "Kubernetes 1.33.10 on Debian 12", 3500, "Debian", "2026-03-31", "2027-03-31", "c"),
    ("debian12-kube-v1.34.6", "Kubernetes 1.34.6 on Debian 12", 3500, "Debian", "2026-03-31", "2027-03-31", "c"),
    ("debian12-kube-v1.35.3", "Kubernetes 1.35.3 on Debian 12", 3500, "Debian", "2026-03-31", "2027-03-31", "c"),
    ("debian12-kube-v1.36.0", "Kubernetes 1.36.0 on Debian 12", 3000, "Debian", "2026-04-30", "2027-04-30", "c"),
    ("rocky10", "Rocky Linux 10", 3500, "Rocky", "2025-06-18", "2035-05-31", "c"),
    ("rocky8", "Rocky Linux 8", 4000, "Rocky", "2021-07-01", "2029-05-31", "cd"),
    ("rocky9", "Rocky Linux 9", 2500, "Rocky", "2022-07-18", "2032-05-31", "cd"),
    ("slackware15.0", "Slackware 15.0", 11_600, "Slackware", "2022-03-15", "", ""),
    ("ubuntu22.04", "Ubuntu 22.04 LTS", 3500, "Ubuntu", "2022-04-23", "2027-04-01", "cd"),
    ("ubuntu22.04-kube", "Ubuntu 22.04 LTS KPP", 3500, "Ubuntu", "2024-08-21", "2027-04-01", "c"),
    ("ubuntu24.04-kube-vmulti", "Ubuntu 24.04 for LKE", 4000, "Ubuntu", "2025-10-15", "2029-04-25", "c"),
    ("ubuntu24.04", "Ubuntu 24.04 LTS", 3500, "Ubuntu", "2024-04-25", "2029-04-25", "cd"),
    ("ubuntu24.04-nvidia", "Ubuntu 24.04 LTS NVIDIA", 4500, "Ubuntu", "2026-02-10", "2029-04-25", "cd"),
];

const DEPRECATED: [Row; 6] = [
    ("alpine3.20", "Alpine 3.20", 400, "Alpine", "2024-05-29", "2026-04-01", "c"),
    ("centos7", "CentOS 7", 2800, "CentOS", "2014-07-08", "2024-06-30", "d"),
    ("fedora42", "Fedora 42", 3000, "Fedora", "2025-04-16", "2026-05-13", "c"),
    ("opensuse15.6", "openSUSE Leap 15.6", 1200, "openSUSE", "2024-06-13", "2026-04-30", "c"),
    ("ubuntu20.04", "Ubuntu 20.04 LTS", 3500, "Ubuntu", "2020-04-23", "2025-05-31", "cd"),
    ("ubuntu25.10", "Ubuntu 25.10", 3500, "Ubuntu", "2025-10-10", "2026-07-09", "c"),
];

/// What is not listed any more, yet can be deployed by who knows it.
const RETIRED: [Row; 40] = [
    ("alpine3.9", "Alpine 3.9", 300, "Alpine", "2019-02-26", "2021-01-01", ""),
    ("alpine3.10", "Alpine 3.10", 300, "Alpine", "2019-06-20", "2021-05-01", ""),
    ("alpine3.11", "Alpine 3.11", 300, "Alpine", "2019-12-20", "2021-11-01", ""),
    ("alpine3.12", "Alpine 3.12", 300, "Alpine", "2020-06-12", "2022-05-01", ""),
    ("alpine3.13", "Alpine 3.13", 300, "Alpine", "2021-01-22", "2022-11-01", ""),
    ("alpine3.14", "Alpine 3.14", 400, "Alpine", "2021-06-23", "2023-05-01", ""),
    ("alpine3.15", "Alpine 3.15", 400, "Alpine", "2021-12-16", "2023-11-01", ""),
    ("alpine3.16", "Alpine 3.16", 400, "Alpine", "2022-05-25", "2024-05-23", ""),
    ("alpine3.17", "Alpine 3.17", 300, "Alpine", "2022-12-06", "2024-11-22", "c"),
    ("alpine3.18", "Alpine 3.18", 300, "Alpine", "2023-05-09", "2025-05-09", "c"),
    ("alpine3.19", "Alpine 3.19", 300, "Alpine", "2023-12-07", "2025-11-01", "cd"),
    ("centos8", "CentOS 8", 2300, "CentOS", "2019-09-25", "2021-12-31", ""),
    ("centos-stream8", "CentOS Stream 8", 2600, "CentOS", "2021-04-30", "2024-05-31", ""),
    ("debian8", "Debian 8", 1300, "Debian", "2015-04-27", "2020-06-30", ""),
    ("debian9", "Debian 9", 1600, "Debian", "2017-06-16", "2022-06-30", ""),
    ("debian10", "Debian 10", 1500, "Debian", "2019-07-07", "2024-06-30", "c"),
    ("fedora33", "Fedora 33", 2600, "Fedora", "2020-11-12", "2021-11-30", ""),
    ("fedora34", "Fedora 34", 1800, "Fedora", "2021-04-27", "2022-06-07", ""),
    ("fedora35", "Fedora 35", 1500, "Fedora", "2021-11-02", "2022-12-13", ""),
    ("fedora36", "Fedora 36", 1850, "Fedora", "2022-05-16", "2023-05-16", ""),
    ("fedora37", "Fedora 37", 2100, "Fedora", "2022-11-08", "2023-12-05", ""),
    ("fedora38", "Fedora 38", 2700, "Fedora", "2023-04-18", "2024-05-21", ""),
    ("fedora39", "Fedora 39", 2700, "Fedora", "2023-11-29", "2024-11-12", "c"),
    ("fedora40", "Fedora 40", 3000, "Fedora", "2024-04-23", "2025-05-13", "c"),
    ("fedora41", "Fedora 41", 3000, "Fedora", "2024-10-29", "2025-11-19", "c"),
    ("opensuse15.2", "openSUSE Leap 15.2", 1550, "openSUSE", "2020-10-01", "2021-12-31", ""),
    ("opensuse15.3", "openSUSE Leap 15.3", 1550, "openSUSE", "2021-06-02", "2022-12-01", ""),
    ("opensuse15.4", "openSUSE Leap 15.4", 2200, "openSUSE", "2022-06-08", "2023-12-07", ""),
    ("opensuse15.5", "openSUSE Leap 15.5", 2200, "openSUSE", "2023-06-07", "2024-12-31", "c"),
    ("slackware14.1", "Slackware 14.1", 1000, "Slackware", "2013-11-25", "", ""),
    ("slackware14.2", "Slackware 14.2", 6000, "Slackware", "2016-10-13", "", ""),
    ("ubuntu16.04lts", "Ubuntu 16.04 LTS", 2700, "Ubuntu", "2016-04-22", "2021-04-30", ""),
    ("ubuntu18.04", "Ubuntu 18.04 LTS", 2700, "Ubuntu", "2018-04-26", "2023-04-26", "c"),
    ("ubuntu21.04", "Ubuntu 21.04", 3500, "Ubuntu", "2021-04-23", "2022-01-20", ""),
    ("ubuntu21.10", "Ubuntu 21.10", 3500, "Ubuntu", "2021-10-14", "2022-07-14", ""),
    ("ubuntu22.10", "Ubuntu 22.10", 3500, "Ubuntu", "2022-10-20", "2023-07-20", ""),
    ("ubuntu23.04", "Ubuntu 23.04", 3500, "Ubuntu", "2023-04-20", "2024-01-25", ""),
    ("ubuntu23.10", "Ubuntu 23.10", 3500, "Ubuntu", "2023-10-12", "2024-07-11", "c"),
    ("ubuntu24.10", "Ubuntu 24.10", 3500, "Ubuntu", "2024-10-10", "2025-07-10", "cd"),
    ("ubuntu25.04", "Ubuntu 25.04", 3500, "Ubuntu", "2025-04-17", "2026-01-15", "c"),
];

/// All that are listed, in the order of the list.
pub fn all() -> impl Iterator<Item = StockImage> {
    CURRENT.iter().map(|row| image(row, false)).chain(DEPRECATED.iter().map(|row| image(row, true)))
}

/// The image of an id such as `linode/debian12`, be it listed or not.
pub fn find(id: &str) -> Option<StockImage> {
    let slug = id.strip_prefix("linode/")?;
    all().chain(RETIRED.iter().map(|row| image(row, true))).find(|image| image.slug == slug)
}

fn image(row: &Row, deprecated: bool) -> StockImage {
    let (slug, label, size, vendor, since, end, letters) = *row;
    StockImage { slug, label, size, vendor, since, end, letters, deprecated }
}

impl StockImage {
    /// Its id in requests.
    pub fn id(&self) -> String {
        format!("linode/{}", self.slug)
    }

    /// Whether its guest asks for the user data it is given.
    pub fn takes_user_data(&self) -> bool {
        self.letters.contains('c')
    }

    /// As the API shows it.
    pub fn shown(&self) -> Value {
        let capabilities = [('c', "cloud-init"), ('d', "distributed-sites")];
        let capabilities = capabilities.into_iter().filter(|(letter, _)| self.letters.contains(*letter));
        json!({
            "id": self.id(),
            "label": self.label,
            "deprecated": self.deprecated,
            "size": self.size,
            "created": format!("{}T14:30:00", self.since),
            "updated": format!("{}T14:30:00", self.since),
            "description": "",
            "created_by": "linode",
            "type": "manual",
            "tags": [],
            "is_public": true,
            "is_shared": false,
            "vendor": self.vendor,
            "expiry": null,
            "eol": (!self.end.is_empty()).then(|| format!("{}T04:00:00", self.end)),
            "regions": null,
            "status": "available",
            "capabilities": capabilities.map(|(_, name)| name).collect::<Vec<_>>(),
            "image_sharing": null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_found_by_their_whole_id() {
        let nvidia = find("linode/ubuntu24.04-nvidia").unwrap();
        assert_eq!((nvidia.size, nvidia.deprecated), (4500, false));
        assert!(find("ubuntu24.04").is_none() && find("linode/none").is_none());
        assert_eq!(find("linode/slackware15.0").unwrap().shown()["capabilities"], json!([]));
        assert_eq!(all().count(), 34);
        assert!(find("linode/debian9").unwrap().deprecated && all().all(|image| image.slug != "debian9"));
    }

    #[test]
    fn some_never_end() {
        assert_eq!(find("linode/arch").unwrap().shown()["eol"], Value::Null);
        assert_eq!(find("linode/centos7").unwrap().shown()["capabilities"], json!(["distributed-sites"]));
        assert_eq!(find("linode/debian12").unwrap().shown().as_object().unwrap().len(), 19);
    }
}
