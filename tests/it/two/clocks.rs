//! Local clocks five minutes apart change nothing.
//!
//! One of the two runs under a library that moves the wall clock as the program sees it; what he notes in his journal
//! shows that it did.

use super::{
    ground::{Ground, PLACES, Place, Who},
    seed,
};
use crate::figures;
use fastrand::Rng;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// The wall clock, so many seconds later or earlier. Other clocks, like the one that pauses are measured by, go on.
const SHIFT: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) {
    const char *seconds = getenv("CLOCK_SHIFT");
    return seconds ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(clock, now);
    if (answer == 0 && clock == CLOCK_REALTIME) now->tv_sec += shift();
    return answer;
}

int gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    struct timespec exact;
    int answer = clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return answer;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"#;

/// Builds the library with the C compiler that the linker of this crate needs anyway.
fn shifting_library(into: &Path) -> PathBuf {
    let (source, library) = (into.join("shift.c"), into.join("shift.so"));
    fs::write(&source, SHIFT).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

/// How many seconds the stamps of somebody's last journal line are ahead of this clock.
fn ahead(ground: &Ground, who: Who) -> i64 {
    let journal = fs::read_to_string(ground.shop(who).path("home/journal/default.mypad.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
    let noted: jiff::Timestamp = last["at"].as_str().unwrap().parse().unwrap();
    noted.as_second() - SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Both create, archive and bring back at once, then one stops what the other has running; one of them lives five minutes
/// ahead, then five minutes behind.
fn clocks_change_nothing(place: Place) {
    let mut random = Rng::with_seed(seed());
    let tools = crate::support::shop::Shop::new();
    let library = shifting_library(&tools.path(""));
    let mut runs = 0;
    for shift in [300, -300] {
        let what = format!("{place:?}, {shift} s");
        let ground = Ground::new(place);
        let args = ["apply", "pad.yaml", "--yes", "-o", "json"];
        let shifted = || {
            let mut command = ground.command(Who::Other, &args);
            command.env("LD_PRELOAD", &library).env("CLOCK_SHIFT", shift.to_string());
            command
        };
        for state in ["present", "absent", "present"] {
            for who in [Who::One, Who::Other] {
                ground.write(who, &place.spec(state));
            }
            let (one, other) = ground.overlap(ground.command(Who::One, &args), shifted(), random.u64(0..6));
            assert!(!one.out.contains("OtherApplier") && !other.out.contains("OtherApplier"), "{what}: {}\n{}", one.out, other.out);
            ground.expect(Who::One, 0, &args, &what);
            assert_eq!(ground.stock(), ground.wanted(state), "{what}: {:?}", ground.inventory());
            runs += 3;
        }
        // One after the other, each the last: neither the fast clock nor the slow one wins for that.
        ground.write(Who::One, &place.spec("stopped"));
        ground.expect(Who::One, 0, &args, &what);
        runs += 1;
        for (state, who) in [("present", Who::Other), ("stopped", Who::One), ("absent", Who::Other), ("present", Who::One)] {
            ground.write(who, &place.spec(state));
            let command = if who == Who::Other { shifted() } else { ground.command(who, &args) };
            let ran = crate::support::shop::Ran::from({ command }.output().unwrap());
            assert_eq!(ran.code, 0, "{what}: {state} by {who:?}\n{}\n{}", ran.out, ran.err);
            assert!(ran.out.contains("overrides: another spec"), "{what}: {state} by {who:?}\n{}", ran.out);
            assert_eq!(ground.stock(), ground.wanted(state), "{what}: {:?}", ground.inventory());
            runs += 1;
        }
        assert_eq!(ground.judge(&["in:default.mypad"]), (Vec::new(), 0), "{what}");
        let (own, theirs) = (ahead(&ground, Who::One), ahead(&ground, Who::Other));
        assert!(own.abs() < 60 && (theirs - shift).abs() < 60, "{what}: the clocks were not apart: {own} s, {theirs} s");
    }
    figures::tell(&format!("runs with clocks five minutes apart, {place:?}"), runs);
}

#[test]
fn at_scaleway_clocks_change_nothing() {
    clocks_change_nothing(PLACES[2]);
}

#[test]
fn at_linode_clocks_change_nothing() {
    clocks_change_nothing(PLACES[3]);
}
