//! A door that is open while a test lasts, and callers who write by hand what they say.

use cloudypad::watch::{Door, Hub, Order, Rules};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// What a test waits for at most; it comes much sooner.
const MOST: Duration = Duration::from_secs(120);

/// Where a door is.
pub struct Caller {
    pub address: SocketAddr,
}

/// A door, served by a thread of its own.
pub struct Porter {
    pub hub: Arc<Hub>,
    caller: Caller,
    /// What was ordered.
    pub orders: mpsc::Receiver<Order>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What was answered.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Porter {
    /// A door with these rules, which takes orders.
    pub fn with(mut rules: Rules) -> Self {
        let hub = Arc::new(Hub::new());
        let (order, orders) = mpsc::channel(8);
        rules.orders = Some(order);
        let (stop, stopped) = oneshot::channel::<()>();
        let (told, opened) = std::sync::mpsc::channel();
        let shown = Arc::clone(&hub);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let door = Door::open("127.0.0.1:0".parse().unwrap(), shown, rules).await.unwrap();
                told.send(door.address()).unwrap();
                door.serve(async move { drop(stopped.await) }).await;
            });
        });
        let caller = Caller { address: opened.recv().unwrap() };
        Self { hub, caller, orders, stop: Some(stop), thread: Some(thread) }
    }
}

impl std::ops::Deref for Porter {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl Caller {
    /// A connection that says nothing yet.
    pub fn call(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(MOST)).unwrap();
        stream
    }

    /// Says something, line by line, and hears the answer until its end.
    pub fn say(&self, lines: &[&str], body: &str) -> Said {
        let mut stream = self.call();
        // Whoever is turned away may find the door shut before he has said all.
        let _ = stream.write_all(format!("{}\r\nconnection: close\r\n\r\n{body}", lines.join("\r\n")).as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Said::read(&String::from_utf8(answer).unwrap())
    }

    pub fn get(&self, path: &str) -> Said {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[&str]) -> Said {
        let (first, host) = (format!("GET {path} HTTP/1.1"), format!("host: {}", self.address));
        self.say(&[&[first.as_str(), host.as_str()], headers].concat(), "")
    }

    /// Sends a form.
    pub fn post(&self, path: &str, headers: &[&str], body: &str) -> Said {
        let (first, host) = (format!("POST {path} HTTP/1.1"), format!("host: {}", self.address));
        let length = format!("content-length: {}", body.len());
        self.say(&[&[first.as_str(), host.as_str(), length.as_str()], headers].concat(), body)
    }

    /// The header by which a browser says that a page of this door sent a form.
    pub fn own_origin(&self) -> String {
        format!("origin: http://{}", self.address)
    }

    /// Listens to what happens; when this returns, nothing is missed any more.
    pub fn listen(&self, path: &str, headers: &[&str]) -> Listener {
        let mut stream = self.call();
        let own = headers.iter().map(|it| format!("{it}\r\n")).collect::<String>();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{own}\r\n", self.address).as_bytes()).unwrap();
        let mut listener = Listener { lines: BufReader::new(stream) };
        listener.until(": listening");
        listener
    }
}

impl Drop for Porter {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

impl Said {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|it| it.split(' ').nth(1)).and_then(|it| it.parse().ok()).unwrap_or_default();
        let headers = lines.filter_map(|it| it.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Self { status, headers: headers.collect(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Somebody who listens to what happens.
pub struct Listener {
    lines: BufReader<TcpStream>,
}

impl Listener {
    /// The lines up to the first with these words.
    pub fn until(&mut self, words: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended, and never said {words:?}");
            heard.push(line.trim_end().to_owned());
            if line.contains(words) {
                return heard;
            }
        }
    }

    /// Listens to the end.
    pub fn hear_out(mut self) {
        let _ = self.lines.read_to_end(&mut Vec::new());
    }
}
