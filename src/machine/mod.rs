//! Floor 2: reaching into the machine: what its guest is given for its first boot, the way in, what configures it, and its
//! streaming server.

mod identity;
mod idle;
mod inside;
mod output;
mod play;
mod private;
mod recipe;
mod seed;
mod sunshine;
mod tunnel;
mod way;

pub use identity::Identity;
pub use idle::IdleWord;
pub use inside::{Inside, Part, Reach};
pub use play::{PlayError, Playing};
pub use recipe::{Play, Recipe, RecipeError, Resolve, find_secret};
pub use seed::{FirstBoot, SeedError, seed};
pub use sunshine::{SUNSHINE_PAGE, SunshinePage, Unpaired};
pub use way::{Barred, Way};
