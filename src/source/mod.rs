//! Floor 2: specs from a branch of a Git repository.
//!
//! [`Source::read`] tells a repository from paths, [`Git`] asks it for its newest commit with the real `git` and lays the
//! commit's tree out in a directory of its own: a [`Checkout`], which stays as long as somebody holds it. Whatever goes
//! wrong is a [`Trouble`] and changes nothing: the last good checkout is as good as before. [`webhook`] reads what a forge
//! says when somebody pushed.
//!
//! Reading order: `place`, `trouble`, `checkout`, `git`, `mirror`, `tree`, `layout`, `program`, `webhook`.

mod checkout;
mod git;
mod layout;
mod mirror;
mod place;
mod program;
mod room;
mod tree;
mod trouble;
pub mod webhook;

pub use checkout::Checkout;
pub use git::{Git, pause};
pub use place::{Misnamed, Place, Source};
pub use program::{Access, Manner};
pub use trouble::Trouble;
