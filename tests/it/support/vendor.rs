//! Vendors, as tests play them: how their emulators are reached.

/// What differs between one vendor's emulator and another's, for whoever drives it.
#[derive(Debug)]
pub struct Vendor {
    /// As `--provider` calls it.
    pub name: &'static str,
    /// The variable that says where its API is.
    pub url_variable: &'static str,
    /// The variable that holds the key.
    pub key_variable: &'static str,
    /// The key that tests send.
    pub key: &'static str,
    /// The header with a stranger's key.
    pub stranger: &'static str,
    /// A path without API version, place and ids.
    pub plain: fn(&str) -> String,
    /// The reference spec of a wish, with more lines below `spec:`.
    pub pad: fn(state: &str, more: &str) -> String,
}
