//! The key goes to the API and nowhere else: not after a redirect, not over a connection that is not whom it says, not into
//! what is shown, logged or written down, whatever a server repeats.

use crate::{
    between::{Answered, Between, answer, asked},
    stage::{Kind, Stage},
    support::shop::Ran,
};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

/// Somebody who listens, and remembers every byte that came: on the wire, and behind TLS.
struct Listener {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// A stream that remembers what was read from it.
struct Heard<S>(S, Arc<Mutex<Vec<u8>>>);

impl<S: Read> Read for Heard<S> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(bytes)?;
        self.1.lock().unwrap().extend_from_slice(&bytes[..count]);
        Ok(count)
    }
}

impl<S: Write> Write for Heard<S> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Listener {
    /// Answers every request with this; behind TLS, where there is a certificate.
    fn answering(with: Answered, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let shared = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (heard, with, tls) = (shared.clone(), with.clone(), tls.clone());
                std::thread::spawn(move || Self::converse(Heard(stream, heard.clone()), heard, &with, tls));
            }
        });
        Self { address, heard }
    }

    fn converse(mut stream: Heard<TcpStream>, heard: Arc<Mutex<Vec<u8>>>, with: &Answered, tls: Option<Arc<ServerConfig>>) {
        match tls {
            None => {
                if asked(&mut stream).is_some() {
                    answer(&mut stream, with);
                }
            }
            Some(tls) => {
                let mut behind = Heard(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), heard);
                if asked(&mut behind).is_some() {
                    answer(&mut behind, with);
                    behind.0.conn.send_close_notify();
                    let _ = behind.flush();
                }
            }
        }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

/// An authority that a test has its own program trust, and the certificates that it gives.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a test's own authority");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server's side of TLS for these names; `past`: a certificate that has ended.
    fn serves(&self, name: &str, past: bool) -> Arc<ServerConfig> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if past {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2001, 2, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

fn nothing() -> Answered {
    Answered::with(200, &[("date", "Mon, 23 Nov 2026 12:00:00 GMT"), ("x-total-count", "0")], "{}")
}

/// A command of a stage whose API is somewhere else.
fn run_at(stage: &Stage, url: &str, trusted: Option<&Path>, args: &[&str]) -> Ran {
    let mut command: Command = stage.command(args);
    command.env(stage.face().vendor.url_variable, url).env_remove("CLOUDYPAD_CLOUD_SPEED").env("CLOUDYPAD_CLOUD_SPEED", "1000");
    command.env("CLOUDYPAD_LOG", "trace");
    if let Some(pem) = trusted {
        command.env("SSL_CERT_FILE", pem);
    }
    Ran::from(command.output().unwrap())
}

/// The stage's key, which its cloud alone is told.
fn key(stage: &Stage) -> &'static str {
    stage.face().vendor.key
}

fn assert_untold(ran: &Ran, secret: &str, what: &str) {
    for (place, text) in [("output", &ran.out), ("errors and log", &ran.err)] {
        assert!(!text.contains(secret), "{what}: the secret is in the {place}: {text}");
    }
}

/// Whatever a look or a call that changes something is answered with a redirect to, nobody there hears of the key.
#[test]
fn a_redirect_is_not_followed() {
    for kind in [Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        let between = Between::before(&stage);
        let elsewhere = Listener::answering(nothing(), None);
        stage.write("present");
        for status in [301, 302, 303, 307, 308] {
            for only_changes in [false, true] {
                let location = format!("http://{}/instance/v1", elsewhere.address);
                between.instead(move |asked| {
                    let headers = [("location", location.as_str()), ("date", "Mon, 23 Nov 2026 12:00:00 GMT")];
                    ((asked.method != "GET") == only_changes).then(|| Answered::with(status, &headers, ""))
                });
                let ran = between.run(&stage, &["-v", "apply", "pad.yaml", "--yes"]);
                let what = format!("{kind:?}: {status}, changes {only_changes}");
                assert_eq!(ran.code, 3, "{what}\n{}{}", ran.out, ran.err);
                assert!(ran.out.contains("redirect"), "{what}: {}{}", ran.out, ran.err);
                assert_untold(&ran, key(&stage), &what);
            }
        }
        assert_eq!(elsewhere.heard(), "", "{kind:?}: nobody calls where a redirect leads");
        stage.reach("present", "it answers for itself again");
    }
}

/// Over TLS that is as it must be, the key arrives. With anything wrong about it, nothing does: not the key, no request.
#[test]
fn a_server_that_is_not_whom_it_says_hears_nothing() {
    for kind in [Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        stage.write("present");
        let (ours, other) = (Authority::new(), Authority::new());
        let pem = stage.shop.path("trusted.pem");
        fs::write(&pem, &ours.pem).unwrap();
        let plan = ["plan", "pad.yaml"];
        let at = |listener: &Listener, scheme: &str, name: &str| {
            run_at(&stage, &format!("{scheme}://{name}:{}", listener.address.port()), Some(&pem), &plan)
        };
        let secret = key(&stage);

        let good = Listener::answering(nothing(), Some(ours.serves("localhost", false)));
        let ran = at(&good, "https", "localhost");
        assert!(good.heard().contains(secret), "{kind:?}: the way to hear the key works\n{}{}", ran.out, ran.err);
        assert_untold(&ran, secret, "trusted");

        let cases = [
            ("an authority that is not trusted", other.serves("localhost", false), "https", "localhost"),
            ("another name", ours.serves("elsewhere.example", false), "https", "localhost"),
            ("a name where an address is meant", ours.serves("localhost", false), "https", "127.0.0.1"),
            ("a certificate that has ended", ours.serves("localhost", true), "https", "localhost"),
        ];
        for (what, tls, scheme, name) in cases {
            let listener = Listener::answering(nothing(), Some(tls));
            let ran = at(&listener, scheme, name);
            assert_eq!(ran.code, 3, "{kind:?}: {what}\n{}{}", ran.out, ran.err);
            assert!(!listener.heard().contains(secret) && !listener.heard().contains("GET "), "{kind:?}: {what}");
            assert_untold(&ran, secret, what);
            assert!(ran.out.contains("certificate"), "{kind:?}: {what}: says why: {}", ran.out);
        }
        // No TLS where there should be: what comes is the beginning of TLS, and no more.
        let plain = Listener::answering(nothing(), None);
        let ran = at(&plain, "https", "localhost");
        assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
        assert!(!plain.heard().contains(secret) && !plain.heard().contains("HTTP"), "{kind:?}: no TLS");
        // A redirect from a good server to one without TLS.
        let elsewhere = Listener::answering(nothing(), None);
        let to = format!("http://{}/", elsewhere.address);
        let sending = Listener::answering(Answered::with(302, &[("location", &to)], ""), Some(ours.serves("localhost", false)));
        let ran = at(&sending, "https", "localhost");
        assert_eq!((ran.code, elsewhere.heard().as_str()), (3, ""), "{kind:?}: from https to http\n{}", ran.out);
        assert_untold(&ran, secret, "from https to http");
    }
}

/// An address with a password in it is refused, with words that do not hold the password.
#[test]
fn an_address_with_a_password_is_refused_untold() {
    for kind in [Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        stage.write("present");
        let silent = Listener::answering(nothing(), None);
        let host = silent.address;
        for url in [
            format!("http://me:hunter2hunter2@{host}"),
            format!("http://hunter2hunter2@{host}/v4"),
            format!("http://{host}/?token=hunter2hunter2"),
            format!("http://{host}/#hunter2hunter2"),
            format!("ftp://me:hunter2hunter2@{host}"),
            "https://me:hunter2hunter2@".to_owned(),
            "me:hunter2hunter2@localhost:80:80".to_owned(),
        ] {
            let ran = run_at(&stage, &url, None, &["plan", "pad.yaml"]);
            assert_eq!(ran.code, 1, "{kind:?}: {url}\n{}{}", ran.out, ran.err);
            assert!(ran.err.contains("the address of the API"), "{kind:?}: {url}: {}", ran.err);
            assert!(ran.err.contains(if kind == Kind::Linode { "LINODE_URL" } else { "SCW_API_URL" }), "{}", ran.err);
            assert_untold(&ran, "hunter2hunter2", &url);
        }
        assert_eq!(silent.heard(), "", "{kind:?}");
    }
}

/// What a request carries that nobody else may see: passwords, and data with a private key in it, as they look on a screen.
fn secrets_in(body: &[u8]) -> Vec<String> {
    match serde_json::from_slice::<Value>(body) {
        Ok(json) => {
            let fields = ["/root_pass", "/metadata/user_data"].map(|it| json.pointer(it).and_then(Value::as_str).map(str::to_owned));
            fields.into_iter().flatten().collect()
        }
        Err(_) => {
            let lines = String::from_utf8_lossy(body).lines().map(|it| it.trim().to_owned()).collect::<Vec<_>>();
            let key = lines.split(|it| it.contains("PRIVATE KEY")).nth(1).unwrap_or_default();
            key.iter().filter(|it| it.len() > 12).cloned().collect()
        }
    }
}

/// A server that repeats what it was told, in every place that it has for words.
#[test]
fn a_server_that_repeats_the_key_does_not_get_it_shown() {
    for kind in [Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        let between = Between::before(&stage);
        let secret = key(&stage);
        let told = Arc::new(Mutex::new(Vec::<String>::new()));
        stage.write("present");
        let cases = [(400, true), (403, true), (500, true), (409, true), (200, true), (403, false), (500, false), (200, false)];
        for (number, (status, only_changes)) in cases.into_iter().enumerate() {
            // What was carried out all the same leaves nothing to do for the next: there is another wish.
            stage.write(["present", "absent"][number % 2]);
            let told_here = told.clone();
            between.bend(move |asked, mut honest| {
                told_here.lock().unwrap().extend(secrets_in(&asked.body));
                honest.headers.retain(|(name, _)| name != "x-request-id");
                honest.headers.push(("x-request-id".to_owned(), format!("run of {secret}")));
                if (asked.method != "GET") != only_changes {
                    return honest;
                }
                let said = format!("you said:\n{}\n{}", asked.head, String::from_utf8_lossy(&asked.body));
                let body = json!({
                    "message": said, "type": said, "resource": said, "help_message": said, "fields": {said.clone(): [said]},
                    "details": [{"argument_name": said, "help_message": said}], "errors": [{"reason": said, "field": said}],
                    "servers": [{"id": said, "name": said}], "id": said, "data": said,
                });
                Answered { status, body: body.to_string().into_bytes(), ..honest }
            });
            let mut loud = between.command(&stage, &["-vv", "apply", "pad.yaml", "--yes"]);
            let ran = Ran::from(loud.env("CLOUDYPAD_LOG", "trace").output().unwrap());
            let what = format!("{kind:?}: {status}, changes {only_changes}");
            assert_untold(&ran, secret, &what);
            told.lock().unwrap().iter().for_each(|it| assert_untold(&ran, it, &what));
            assert!(ran.err.contains("[secret]"), "{what}: it was repeated\n{}{}", ran.out, ran.err);
            for args in [&["get", "pad.yaml", "-o", "json"][..], &["describe", "pad.yaml"]] {
                assert_untold(&between.run(&stage, args), secret, &what);
            }
        }
        for file in all_files(&stage.shop.path("state")).into_iter().chain(all_files(&stage.shop.path("data"))) {
            let bytes = fs::read(&file).unwrap();
            assert!(!bytes.windows(secret.len()).any(|it| it == secret.as_bytes()), "{kind:?}: the key is in {}", file.display());
        }
        assert!(!told.lock().unwrap().is_empty(), "{kind:?}: no server was made, or it was given nothing for its first boot");
        assert_eq!(stage.harm(), [""; 0]);
        stage.reach("present", "it minds its words again");
    }
}

/// An answer without an end is not read to it.
#[test]
fn an_answer_without_an_end_is_given_up() {
    let stage = Stage::new(Kind::Scaleway);
    stage.write("present");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = asked(&mut stream);
                let mut more = stream.write_all(b"HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n");
                // Until the caller has had enough.
                while more.is_ok() {
                    more = stream.write_all(&[b' '; 1 << 16]);
                }
            });
        }
    });
    // Whoever kept it would need more than this.
    let command = stage.command(&["plan", "pad.yaml"]);
    let mut within = Command::new("sh");
    within.args(["-c", "ulimit -v 3000000; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    within.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(stage.shop.path(""));
    let ran = Ran::from(within.env("SCW_API_URL", url).output().unwrap());
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("the answer is longer than 64 MB"), "{}{}", ran.out, ran.err);
}

fn all_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.map(|it| it.unwrap().path());
    paths.flat_map(|it| if it.is_dir() { all_files(&it) } else { vec![it] }).collect()
}
