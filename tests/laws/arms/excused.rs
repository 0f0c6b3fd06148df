//! Arms that no situation can meet, each with the proof that it cannot.

/// File, arm as it is told, proof.
pub const UNMET: &[(&str, &str, &str)] = &[];
