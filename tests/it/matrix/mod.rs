//! The crash matrix: `kill -9` at every point of every mutating call, then a plain `apply`, or the same `delete` again.
//!
//! Whatever is asked of cloudypad is asked once undisturbed ([`rehearsal`]): that tells which calls it comes to, how often
//! the journal is written, and what stands in the end. Then once per call and point ([`cell`]), from a copy of the same
//! beginning ([`stage`]): the real process is killed at that very point, and the same command is run again. It must end
//! well, and everything must stand as if nobody had been killed ([`standing`]): same objects, same bytes on them, nothing
//! lost, leaked or there twice; and once more the same command makes no call.
//!
//! A point is no instant by the clock. Points at the journal are system calls, at which the tracer `strace` kills
//! ([`tracer`]); points on the wire are requests that the emulator holds until their sender is dead.
//! `CLOUDYPAD_CELL` runs the cells whose names contain it; a failure tells their names.

mod asked;
mod cell;
mod ground;
mod orphan;
mod rehearsal;
mod stage;
mod standing;
mod tracer;

use crate::figures;
use asked::ASKED;
use cell::{Cell, POINTS, Played, Point};
use ground::Ground;
use rehearsal::Rehearsal;
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// How many cells are played side by side: mostly they wait for a cloud.
const SIDE_BY_SIDE: usize = 4;

#[test]
fn at_scaleway() {
    every_cell(&ground::SCALEWAY_FACE);
}

#[test]
fn at_linode() {
    every_cell(&ground::LINODE_FACE);
}

#[test]
fn on_the_local_cloud() {
    every_cell(&ground::LOCAL);
}

#[test]
fn on_the_local_cloud_like_linode() {
    every_cell(&ground::LOCAL_LIKE_LINODE);
}

/// Plays every cell of a cloud.
fn every_cell(ground: &'static Ground) {
    let traced = tracer::is_here();
    if !traced {
        println!("skipped: the points at the journal: no strace, or no leave to trace");
    }
    let scenes = stage::Scenes::prepare(ground);
    let rehearsals: Vec<Rehearsal> =
        ASKED.iter().filter(|it| ground.takes(it)).map(|asked| Rehearsal::of(asked, &scenes, traced)).collect();
    let wanted = std::env::var("CLOUDYPAD_CELL").unwrap_or_default();
    let all = rehearsals.iter().flat_map(|it| cell::cells(it, traced));
    let cells: Vec<Cell> = all.filter(|it| it.to_string().contains(&wanted)).collect();

    let (next, failures, reached) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match cell.play(&scenes) {
                        Ok(played) => reached.lock().unwrap().push((cell, played)),
                        Err(why) => failures.lock().unwrap().push(format!("{cell}: {why}")),
                    }
                }
            });
        }
    });
    println!("{}", table(ground, &cells));
    figures::tell(&format!("crash points tried, {}", ground.name), cells.len());
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cells:\n{}", failures.len(), cells.len(), failures.join("\n\n"));
    let reached = reached.into_inner().unwrap();
    if wanted.is_empty() && traced {
        rehearsals.iter().for_each(|it| no_call_was_spared(it, &reached));
    }
    if wanted.is_empty() && ground.vendor.is_some() {
        let overtaken = reached.iter().filter(|it| it.1.overtaken).count();
        figures::tell(&format!("crash points whose call was carried out between the next look and call, {}", ground.name), overtaken);
        assert!(overtaken > 3, "what is carried out late mostly comes between two commands");
    }
}

/// Each call was cut short before it was carried out, and once after. At a vendor there is a cell for each; on the local
/// cloud the commits of calls are among all others, and what was made by then tells which they were.
fn no_call_was_spared(rehearsal: &Rehearsal, reached: &[(&Cell, Played)]) {
    for number in 0..rehearsal.made {
        let cut = |point: Point, made: usize| {
            let mut cells = reached.iter().filter(|(it, _)| std::ptr::eq(it.rehearsal, rehearsal) && it.point == point);
            match rehearsal.ground.vendor {
                Some(_) => cells.any(|(it, _)| it.number == number),
                None => cells.any(|(_, it)| it.made == made),
            }
        };
        let what = format!("{}, {}: call {number}", rehearsal.ground.name, rehearsal.asked.name);
        assert!(cut(Point::NeverCarriedOut, number), "{what} was never cut short before it was carried out");
        assert!(cut(Point::Unanswered, number + 1), "{what} was never cut short after it was carried out");
    }
}

/// How many cells were played, by what was asked and by point.
fn table(ground: &Ground, cells: &[Cell]) -> String {
    let count = |name: &str, point: Point| cells.iter().filter(|it| it.rehearsal.asked.name == name && it.point == point).count();
    let row =
        |name: &str, figures: Vec<String>| format!("{name:<24}{}\n", figures.iter().map(|it| format!("{it:>16}")).collect::<String>());
    let head = row(ground.name, POINTS.iter().map(|it| it.word().to_owned()).collect());
    let line = |name: &str| row(name, POINTS.iter().map(|it| count(name, *it).to_string()).collect());
    head + &ASKED.iter().filter(|it| ground.takes(it)).map(|it| line(it.name)).collect::<String>()
}
