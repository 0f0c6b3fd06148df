//! A man in the middle: he takes the calls for an emulator, passes them on, and bends what comes back.

use crate::{stage::Stage, support::shop::Ran};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
};

/// A request, as it was sent.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    /// The line of the request, and all header lines.
    pub head: String,
    pub body: Vec<u8>,
}

/// An answer, as it is given.
#[derive(Debug, Clone)]
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn with(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { status, headers, body: body.into() }
    }

    /// The same with its JSON bent; what is no JSON stays.
    pub fn bent(mut self, bend: impl FnOnce(&mut Value)) -> Self {
        if let Ok(mut body) = serde_json::from_slice::<Value>(&self.body) {
            bend(&mut body);
            self.body = body.to_string().into_bytes();
        }
        self
    }
}

/// What he makes of an answer.
type Bend = dyn Fn(&Asked, Answered) -> Answered + Send + Sync;

/// What he answers himself, passing nothing on.
type Instead = dyn Fn(&Asked) -> Option<Answered> + Send + Sync;

/// The man in the middle, until the test ends.
pub struct Between {
    address: SocketAddr,
    ways: Arc<Mutex<Ways>>,
}

/// What he does now.
#[derive(Clone)]
struct Ways {
    bend: Arc<Bend>,
    instead: Arc<Instead>,
}

impl Between {
    /// Stands before the stage's emulator, and passes everything on as it is.
    pub fn before(stage: &Stage) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let cloud = stage.face().url().trim_start_matches("http://").to_owned();
        let ways = Arc::new(Mutex::new(Ways { bend: Arc::new(|_, answer| answer), instead: Arc::new(|_| None) }));
        let shared = ways.clone();
        // It serves until the process ends: nobody is left to call it after its test.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (cloud, ways) = (cloud.clone(), shared.lock().unwrap().clone());
                std::thread::spawn(move || serve(stream, &cloud, &ways));
            }
        });
        Self { address, ways }
    }

    /// Bends all answers from now on.
    pub fn bend(&self, bend: impl Fn(&Asked, Answered) -> Answered + Send + Sync + 'static) {
        self.ways.lock().unwrap().bend = Arc::new(bend);
    }

    /// Answers some calls himself from now on: the cloud never hears of them.
    pub fn instead(&self, instead: impl Fn(&Asked) -> Option<Answered> + Send + Sync + 'static) {
        self.ways.lock().unwrap().instead = Arc::new(instead);
    }

    /// A command of the stage's that takes him for its cloud.
    pub fn command(&self, stage: &Stage, args: &[&str]) -> Command {
        let mut command = stage.command(args);
        command.env(stage.face().vendor.url_variable, format!("http://{}", self.address));
        command
    }

    pub fn run(&self, stage: &Stage, args: &[&str]) -> Ran {
        Ran::from(self.command(stage, args).output().unwrap())
    }
}

/// Reads one request; `None` where the caller went away.
pub fn asked(stream: &mut impl Read) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|it| it.to_lowercase().strip_prefix("content-length:").map(|it| it.trim().parse().unwrap_or(0)));
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let method = head.split(' ').next()?.to_owned();
    Some(Asked { method, head, body })
}

/// Writes one answer, after which the connection ends.
pub fn answer(stream: &mut impl Write, answer: &Answered) {
    let mut text = format!("HTTP/1.1 {} Odd\r\n", answer.status);
    for (name, value) in &answer.headers {
        if !["content-length", "connection", "transfer-encoding"].contains(&name.as_str()) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    text.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", answer.body.len()));
    // Who asked may have gone away.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(&answer.body)).and_then(|()| stream.flush());
}

fn serve(mut stream: TcpStream, cloud: &str, ways: &Ways) {
    let Some(request) = asked(&mut stream) else { return };
    if let Some(own) = (ways.instead)(&request) {
        return answer(&mut stream, &own);
    }
    let Some(honest) = passed_on(&request, cloud) else { return };
    answer(&mut stream, &(ways.bend)(&request, honest));
}

fn passed_on(request: &Asked, cloud: &str) -> Option<Answered> {
    let mut stream = TcpStream::connect(cloud).ok()?;
    let head = request.head.trim_end().to_owned() + "\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&request.body).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let headers = head.lines().skip(1).filter_map(|it| it.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())));
    Some(Answered { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() })
}
