//! What can go wrong at a vendor, call by call. Data alone: the weather and the fault campaign draw from it.

/// A call that weather can befall.
pub struct Call {
    /// As faults know it; one that ends in `*` stands for all that begin so.
    pub operation: &'static str,
    /// The wishes on the way to which it is made: `present`, `stopped`, `absent`, `delete`.
    pub wishes: &'static str,
    /// A `look`, or a `change`; a `birth` makes something, a `motion` sets something off which takes its time, a `machine`
    /// is wanted from the stock. What else there is a vendor's weather says.
    pub sorts: &'static str,
}

pub const fn call(operation: &'static str, wishes: &'static str, sorts: &'static str) -> Call {
    Call { operation, wishes, sorts }
}

/// What can go wrong, and on which sort of calls: those that it can befall, and on which it shows. What strikes seldom,
/// since it needs one call of few, is here twice.
pub const WEATHER: &[(&str, &str)] = &[
    ("rate-limited", "any"),
    ("broken-before", "any"),
    ("broken-after", "change"),
    ("unavailable", "any"),
    ("html", "any"),
    ("dropped", "any"),
    ("lost-reply", "any"),
    ("lost-reply", "change"),
    ("late", "change"),
    ("transient", "change"),
    ("refused", "change"),
    ("refused", "change"),
    ("slow", "motion"),
    ("slow", "motion"),
    ("stale", "look"),
    ("quota", "birth"),
    ("quota", "birth"),
    ("out-of-stock", "machine"),
    ("out-of-stock", "machine"),
    ("stuck", "motion"),
    ("stuck", "motion"),
];

/// A vendor's sky.
pub struct Sky {
    /// What can go wrong with this vendor alone, and on which sort of calls.
    pub weather: &'static [(&'static str, &'static str)],
    pub calls: &'static [Call],
}

impl Sky {
    /// What can go wrong, and on which sort of calls.
    pub fn kinds(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        WEATHER.iter().chain(self.weather)
    }

    /// The calls on the way to a wish that something of this sort can befall.
    pub fn befallen(&self, wish: &str, sort: &str) -> Vec<&'static Call> {
        let befalls = |it: &&Call| it.wishes.contains(wish) && (sort == "any" || it.sorts.split(' ').any(|its| its == sort));
        self.calls.iter().filter(befalls).collect()
    }
}

/// Scaleway's.
pub static SCALEWAY: Sky = Sky { weather: &[], calls: SCALEWAY_CALLS };

/// Linode's: a maintenance that is announced, and captures that fail: mostly they are larger than what the account may
/// store.
pub static LINODE: Sky = Sky { weather: &[("maintenance", "any"), ("in-vain", "capture"), ("in-vain", "capture")], calls: LINODE_CALLS };

const SCALEWAY_CALLS: &[Call] = &[
    call("*", "present stopped absent delete", ""),
    call("GET *", "present stopped absent delete", "look"),
    call("GET /instance/v1/zones/{zone}/servers", "present stopped absent delete", "look"),
    call("GET /instance/v1/zones/{zone}/servers/{id}", "present stopped absent delete", "look"),
    call("GET /block*", "present stopped absent delete", "look"),
    call("POST *", "present stopped absent", "change"),
    call("POST /instance/v1/zones/{zone}/ips", "present stopped", "change birth"),
    call("POST /instance/v1/zones/{zone}/security_groups", "present stopped", "change birth"),
    call("PUT *", "present stopped", "change"),
    call("POST /block/v1/zones/{zone}/volumes", "present stopped", "change birth motion"),
    call("POST /instance/v1/zones/{zone}/servers", "present stopped", "change birth machine"),
    call("PATCH *", "present stopped absent", "change"),
    call("POST /instance/v1/zones/{zone}/servers/{id}/action poweron", "present", "change motion machine"),
    call("POST /instance/v1/zones/{zone}/servers/{id}/action poweroff", "stopped absent", "change motion"),
    call("PATCH /instance/v1/zones/{zone}/servers/{id}", "absent", "change motion"),
    call("POST /block/v1/zones/{zone}/snapshots", "absent", "change birth motion"),
    call("DELETE *", "absent delete", "change"),
    call("DELETE /instance*", "absent delete", "change motion"),
    call("DELETE /block*", "absent delete", "change"),
];

const LINODE_CALLS: &[Call] = &[
    call("*", "present stopped absent delete", ""),
    call("GET *", "present stopped absent delete", "look"),
    call("GET /linode/instances", "present stopped absent delete", "look"),
    call("GET /linode/instances/{id}*", "present stopped absent delete", "look"),
    call("GET /volumes*", "present stopped absent delete", "look"),
    call("GET /images*", "present stopped absent delete", "look"),
    call("GET /account/events*", "present stopped absent delete", "look"),
    call("POST *", "present stopped absent", "change"),
    call("POST /networking/firewalls", "present stopped", "change birth"),
    call("POST /networking/reserved/ips", "present stopped", "change birth"),
    call("POST /volumes", "present stopped", "change birth motion"),
    call("POST /linode/instances", "present stopped", "change birth motion machine"),
    call("PUT *", "present stopped absent", "change"),
    call("PUT /linode/instances/{id}", "present stopped absent", "change"),
    call("POST /volumes/{id}/attach", "present stopped", "change motion"),
    call("POST /linode/instances/{id}/boot", "present", "change motion"),
    call("POST /linode/instances/{id}/shutdown", "present stopped absent", "change motion"),
    call("POST /images", "present absent", "change birth motion capture"),
    call("DELETE *", "absent delete", "change"),
    call("DELETE /linode/instances/{id}", "absent delete", "change motion"),
    call("DELETE /images/{id}", "absent delete", "change"),
];
