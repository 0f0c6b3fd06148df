//! Sunshine's page as it answers a machine's own users: HTTPS with a certificate of its own making, a user and a password, and
//! at most one client of Moonlight that waits with a PIN.

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivatePkcs8KeyDer};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, mpsc},
};

/// Whom the page lets in.
pub const USER: &str = "player";
pub const PASSWORD: &str = "sunshine's \"own\" password";
/// The PIN of the client that waits.
pub const PIN: &str = "0417";

/// How it behaves.
#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    /// As versions of today do.
    Usual,
    /// As older versions do: truth is a text.
    Older,
    /// Nobody has given it a user and a password yet.
    New,
    /// It takes what comes, and never answers.
    Mute,
    /// It is another program, which speaks HTTPS too.
    Other,
}

/// What it heard.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// Somebody sent a PIN.
    Asked { login: String, kind: String, pin: String, client: String },
    /// Whoever asked went away.
    Gone,
}

/// A page that is served until the test ends.
pub struct Sunshine {
    pub port: u16,
    heard: mpsc::Receiver<Heard>,
}

impl Sunshine {
    pub fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, heard) = mpsc::channel();
        let config = own_certificate();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who leaves in the middle is not answered.
                let _ = serve(stream, &config, manner, &tell);
                let _ = tell.send(Heard::Gone);
            }
        });
        Self { port, heard }
    }

    /// The next thing it hears, which is waited for.
    pub fn hears(&self) -> Heard {
        self.heard.recv().unwrap()
    }

    /// What the last one who asked said, once they are gone.
    pub fn heard(&self) -> Heard {
        let asked = self.hears();
        assert_eq!(self.hears(), Heard::Gone);
        asked
    }
}

/// Nobody vouches for it.
fn own_certificate() -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(vec!["Sunshine Gamestream Host".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap())
}

fn serve(stream: TcpStream, config: &Arc<ServerConfig>, manner: Manner, tell: &mpsc::Sender<Heard>) -> std::io::Result<()> {
    let connection = ServerConnection::new(config.clone()).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let header = |name: &str| {
        let mut values = lines.iter().filter_map(|it| it.split_once(": ")).filter(|it| it.0.eq_ignore_ascii_case(name));
        values.next().map(|it| it.1.to_owned()).unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let word = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let login = BASE64_STANDARD.decode(header("authorization").trim_start_matches("Basic ")).unwrap_or_default();
    let login = String::from_utf8(login).unwrap();
    let asked = Heard::Asked { login: login.clone(), kind: header("content-type"), pin: word("pin"), client: word("name") };
    tell.send(asked).unwrap();
    if manner == Manner::Mute {
        // Until whoever asks gives up.
        stream.read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    let is_pin = lines[0].starts_with("POST /api/pin ");
    let (status, more, text) = match manner {
        Manner::New => ("307 Temporary Redirect", "Location: /welcome\r\n", String::new()),
        Manner::Other => ("404 Not Found", "", format!("no such page, dear {login}")),
        _ if login != format!("{USER}:{PASSWORD}") => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"Sunshine\"\r\n", String::new()),
        _ if !is_pin => ("404 Not Found", "", String::new()),
        Manner::Older => ("200 OK", "", format!("{{\"status\":\"{}\"}}", word("pin") == PIN)),
        _ => ("200 OK", "", format!("{{\"status\":{}}}", word("pin") == PIN)),
    };
    let answer = format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
    stream.get_mut().write_all(answer.as_bytes())?;
    stream.get_mut().conn.send_close_notify();
    stream.get_mut().flush()
}
