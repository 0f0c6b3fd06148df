//! Servers that really run: guests that QEMU boots from an instance's own disks, reached over SSH, configured, captured,
//! archived and had back. In reading order: `scene` (an owner's desk, with a guest to be had), `life` (a whole life, with the
//! controller killed on the way), `orders` (what is done to a machine, and what it survives), `example` (the reference
//! life of `examples/local-qemu.yaml`, with Ansible; on demand).
//!
//! Where QEMU or the guest's disk cannot be had, the tests say so and are skipped. `CLOUDYPAD_QEMU=all` runs what is on
//! demand as well.

mod example;
mod life;
mod orders;
mod scene;
#[path = "../it/support/shop.rs"]
#[allow(dead_code)] // shared with other tests
mod shop;
