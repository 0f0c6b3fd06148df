//! What happens is told to an address or a command: signed, in order, each event once, and never at a run's expense.

use crate::support::shop::{Shop, pad};
use cloudypad::herald::{Herald, Key, Say, Ways};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

/// Longer than anything here takes on the slowest machine: whoever waits so long waits in vain.
const FOREVER: Duration = Duration::from_secs(120);

/// One request, as it came.
#[derive(Debug)]
struct Asked {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map_or("", |it| &it.1)
    }

    fn news(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An address that answers with these states, one after the other, and then with 204.
fn address(answers: &'static [u16]) -> (String, mpsc::Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook/s3cr3t-path", listener.local_addr().unwrap());
    let (tell, asked) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.iter();
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut headers = Vec::new();
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some((name, value)) = line.trim_end().split_once(": ") {
                    headers.push((name.to_owned(), value.to_owned()));
                }
                line.clear();
            }
            let mut asked = Asked { headers, body: Vec::new() };
            asked.body.resize(asked.header("content-length").parse().unwrap(), 0);
            reader.read_exact(&mut asked.body).unwrap();
            let answer = answers.next().unwrap_or(&204);
            write!(reader.get_mut(), "HTTP/1.1 {answer} Whatever\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            if tell.send(asked).is_err() {
                return;
            }
        }
    });
    (url, asked)
}

/// What the owner was told of telling.
fn ear() -> (Say, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let writes = heard.clone();
    (Arc::new(move |text: &str| writes.lock().unwrap().push(text.to_owned())), heard)
}

fn held(run: &str, code: &str) -> Value {
    json!({"type": "ended", "verdict": "held", "namespace": "default", "name": "mypad", "run": run, "hold": {"code": code}})
}

fn done(run: &str) -> Value {
    json!({"type": "ended", "verdict": "done", "calls": 1, "namespace": "default", "name": "mypad", "run": run})
}

/// The address breaks twice: the same event comes with the same id and the same bytes until it is taken, the next after it.
#[tokio::test]
async fn an_address_that_breaks_is_told_again_until_it_takes_it() {
    let (url, asked) = address(&[500, 503]);
    let (say, heard) = ear();
    let key = Key::new("the owner's secret");
    let herald = Herald::new(Ways { url: Some(url), key: Some(key.clone()), ..Ways::default() }, &say).unwrap();
    for event in [done("1"), done("1"), held("2", "Blind"), held("3", "Blind"), done("4")] {
        herald.tell(&event);
    }
    herald.close(FOREVER).await;
    let came: Vec<Asked> = asked.try_iter().collect();
    let ids: Vec<&str> = came.iter().map(|it| it.header("x-cloudypad-delivery")).collect();
    assert_eq!(ids, ["1-ended", "1-ended", "1-ended", "2-held", "4-ended"], "what repeats is told once, and in order");
    assert!(came[..3].iter().all(|it| it.body == came[0].body), "a try is the same as the one before");
    for it in &came {
        assert_eq!(it.header("x-cloudypad-signature-256"), key.sign(&it.body), "whoever knows the secret can tell that it is ours");
        assert_eq!((it.header("content-type"), &it.news()["id"]), ("application/json", &it.header("x-cloudypad-delivery").into()));
    }
    assert_eq!(came[3].news()["event"]["hold"]["code"], "Blind");
    assert_eq!(*heard.lock().unwrap(), Vec::<String>::new(), "what went well in the end is nobody's trouble");
}

/// An address that refuses is not asked again for the same; its owner hears of it once, without what may be secret in it.
#[tokio::test]
async fn an_address_that_refuses_is_complained_of_once() {
    let (url, asked) = address(&[410, 410]);
    let (say, heard) = ear();
    let herald = Herald::new(Ways { url: Some(url), ..Ways::default() }, &say).unwrap();
    for run in ["1", "2", "3"] {
        herald.tell(&done(run));
    }
    herald.close(FOREVER).await;
    let came: Vec<Asked> = asked.try_iter().collect();
    assert_eq!(came.len(), 3);
    assert!(came.iter().all(|it| it.header("x-cloudypad-signature-256").is_empty()), "nothing to sign with");
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard[0].contains("status 410") && heard[1].contains("takes news again"), "{heard:?}");
    assert!(!heard.concat().contains("s3cr3t"), "{heard:?}");
}

/// What a real run tells becomes news for a command, which gets no key of ours.
#[tokio::test]
async fn a_command_reads_what_happened() {
    let shop = Shop::new();
    shop.write("pad.yaml", &pad("present", ""));
    let applied = shop.expect(0, &["apply", "pad.yaml", "--yes", "-o", "json"]).out;
    let news = shop.path("news");
    let (say, heard) = ear();
    // Cargo sets this for every test: it stands for a key.
    let command = format!("test -z \"$CARGO_MANIFEST_DIR\" && cat >> {}", news.display());
    let withheld = vec!["CARGO_MANIFEST_DIR".to_owned()];
    let herald = Herald::new(Ways { command: Some(command), withheld, ..Ways::default() }, &say).unwrap();
    applied.lines().for_each(|it| herald.tell(&serde_json::from_str(it).unwrap()));
    herald.close(FOREVER).await;
    let told: Vec<Value> = shop.read("news").lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(told.len(), 1, "only how it ended is news: {told:#?}");
    assert_eq!((&told[0]["notice"], &told[0]["name"], told[0]["run"].is_string()), (&"ended".into(), &"mypad".into(), true));
    assert!(told[0]["event"]["calls"].as_u64().unwrap() > 3);
    assert_eq!(*heard.lock().unwrap(), Vec::<String>::new());
}

/// A command that fails, again and again, is complained of once; that it reads nothing is its own affair.
#[tokio::test]
async fn a_command_that_fails_is_complained_of_once() {
    let (say, heard) = ear();
    let herald = Herald::new(Ways { command: Some("exit 7".to_owned()), ..Ways::default() }, &say).unwrap();
    for run in ["1", "2", "3"] {
        herald.tell(&done(run));
    }
    herald.close(FOREVER).await;
    let heard = heard.lock().unwrap().clone();
    assert!(heard.len() == 1 && heard[0].contains("exit status: 7"), "{heard:?}");
}

/// Nobody answers: telling takes no time, and ending waits no longer than it was told to.
#[tokio::test]
async fn whoever_does_not_answer_delays_nobody() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", mute.local_addr().unwrap());
    let (say, _) = ear();
    let herald = Herald::new(Ways { url: Some(url), ..Ways::default() }, &say).unwrap();
    for run in 0..1_000 {
        herald.tell(&done(&run.to_string()));
    }
    let ended = tokio::time::timeout(FOREVER, herald.close(Duration::from_millis(50))).await;
    assert!(ended.is_ok());
}
