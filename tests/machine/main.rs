//! Reaching into a machine, with the real parts: OpenSSH's server, `ansible-playbook`. In reading order: `way` (the way in,
//! and whom it leads to), `scripts`, `playbooks`, `digests` (what makes a configuration another one).
//!
//! Where a part is not installed, its tests say so and are skipped.

mod digests;
mod playbooks;
mod room;
mod scripts;
#[path = "../it/support/sshd.rs"]
mod sshd;
mod way;
