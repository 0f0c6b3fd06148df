//! Ways to be wrong about Linode.

use crate::deviate::{Deviation, status};

/// All ways to be wrong that are tried.
pub const DEVIATIONS: &[Deviation] = &[Deviation { name: "201 in place of 200", apply: |_, reply| status(reply, 200, 201) }];
