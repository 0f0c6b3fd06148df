//! Floor 2: reaching into the machine. So far, what its guest is given for its first boot.

mod seed;

pub use seed::{FirstBoot, SeedError, seed};
