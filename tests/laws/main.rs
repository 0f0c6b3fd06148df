//! The laws, proven on the real planner and the real rules of a run, in every situation that a bounded story can come to.

#[path = "../figures.rs"]
mod figures;
#[path = "../it/support/words.rs"]
mod words;

mod arms;
mod bounds;
mod canon;
mod cast;
mod cloud;
mod cover;
mod engine;
mod mutants;
mod odd;
mod order;
mod search;
mod settle;
mod system;
mod traces;
mod view;
