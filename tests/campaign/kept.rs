//! Seeds that showed something once, and what. They are lived in every test run. (A change to what a fate is drawn from
//! makes other lifecycles of them: then what they showed is kept by the case named here.)

/// Vendor, seed, and what it showed.
pub const KEPT: &[(&str, u64, &str)] = &[(
    "scaleway",
    217,
    "two equal specs at once: a firewall that went away between its list and the look at its rules was told as a lasting refusal (Denied)",
)];
