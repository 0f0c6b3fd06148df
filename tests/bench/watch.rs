//! How long it takes from a save until the cloud is asked: the real program beside a real emulator, and between them a wire
//! that notes when something is sent.

use super::{BINARY, Shop};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// A look is over when nothing was sent for so long.
const QUIET: Duration = Duration::from_millis(30);

/// When something was sent first since it was asked to note it, and when last, in microseconds.
struct Notes {
    began: Instant,
    first: Mutex<Option<Instant>>,
    last: AtomicU64,
}

impl Notes {
    fn sent(&self) {
        self.last.store(self.began.elapsed().as_micros() as u64, Ordering::SeqCst);
        self.first.lock().expect("no panic").get_or_insert_with(Instant::now);
    }

    /// Waits until something was sent, and then nothing for a while; when the first of it was sent.
    fn await_look(&self) -> Instant {
        loop {
            let first = *self.first.lock().expect("no panic");
            let since = self.began.elapsed().as_micros() as u64 - self.last.load(Ordering::SeqCst);
            match first.filter(|_| since > QUIET.as_micros() as u64) {
                Some(first) => return first,
                None => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn forget(&self) {
        *self.first.lock().expect("no panic") = None;
    }
}

/// A wire to the emulator.
fn lay_wire(to: &str, notes: &Arc<Notes>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    let (to, notes) = (to.to_owned(), notes.clone());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&to).expect("the emulator answers");
            for stream in [&client, &server] {
                stream.set_nodelay(true).expect("a TCP stream");
            }
            let (mut back_from, mut back_to) = (server.try_clone().expect("a stream"), client.try_clone().expect("a stream"));
            thread::spawn(move || {
                let _ = std::io::copy(&mut back_from, &mut back_to);
                let _ = back_to.shutdown(Shutdown::Both);
            });
            let notes = notes.clone();
            thread::spawn(move || forward(client, server, &notes));
        }
    });
    at
}

fn forward(mut client: TcpStream, mut server: TcpStream, notes: &Notes) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        notes.sent();
        if server.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The times from so many saves to the first request of the look that follows each, sorted.
pub fn save_to_first_read(saves: u64) -> Vec<Duration> {
    let shop = Shop::new();
    let data = shop.dir.join("cloud");
    let mut emulator = Command::new(BINARY);
    emulator.args(["emulator", "--provider", "scaleway", "--listen", "127.0.0.1:0", "--speed", "100000", "--data"]).arg(data);
    let mut emulator = Running(emulator.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the emulator runs"));
    let mut line = String::new();
    BufReader::new(emulator.0.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let url = line.split("http://").nth(1).unwrap_or_else(|| panic!("no address in {line:?}"));
    let notes = Arc::new(Notes { began: Instant::now(), first: Mutex::default(), last: AtomicU64::new(0) });
    let wire = lay_wire(url.split_whitespace().next().expect("an address").trim_end_matches('/'), &notes);

    let specs = shop.dir.join("specs");
    fs::create_dir_all(&specs).expect("a directory");
    let save = |number: u64| {
        let spec = format!(
            "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata: {{name: mypad, labels: {{number: \"{number}\"}}}}\nspec:\n  \
             serverState: present\n  provider: {{scaleway: {{projectId: 11111111-1111-4111-8111-111111111111, zone: fr-par-2, \
             instanceType: L4-1-24G}}}}\n"
        );
        // As editors save: another file takes its place.
        fs::write(shop.dir.join("next"), spec).expect("it can be written");
        fs::rename(shop.dir.join("next"), specs.join("pad.yaml")).expect("it can be moved");
    };
    save(0);
    let command = |args: &[&str]| {
        let mut command = shop.command(BINARY);
        command.args(args).env("SCW_API_URL", format!("http://{wire}")).env("SCW_SECRET_KEY", "11111111-2222-4333-8444-555555555555");
        command.env("CLOUDYPAD_CLOUD_SPEED", "100000");
        command
    };
    let applied = command(&["apply", "specs", "--yes"]).status().expect("it runs");
    assert!(applied.success(), "{applied}");
    let _watch = Running(command(&["watch", "specs", "--every", "1h"]).spawn().expect("it runs"));
    notes.forget();
    notes.await_look();
    let mut times: Vec<Duration> = (1..=saves)
        .map(|number| {
            notes.forget();
            save(number);
            let saved = Instant::now();
            notes.await_look().saturating_duration_since(saved)
        })
        .collect();
    times.sort();
    times
}
