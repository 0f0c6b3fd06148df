//! The client against answers that no emulator gives: cut short, shifted, empty, broken.

use super::{
    account::Account,
    client::{Changed, Client, Unread},
    rules::RuleBook,
    wire,
};
use crate::model::Cause;
use crate::provider::{
    Problem,
    http::{Request, Secret, network},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// An answer: its status line's number, further headers, the body. Status 0 closes the connection.
type Canned = (u16, &'static str, String);

/// A server that gives these answers in turn, and then the last one for ever; and how many it gave.
fn serve(answers: Vec<Canned>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let given = Arc::new(AtomicUsize::new(0));
    let count = given.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).unwrap_or(0) > 2 {
                if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let (status, headers, body) = &answers[count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
            if *status > 0 {
                let head = format!(
                    "HTTP/1.1 {status} X\r\nDate: Mon, 18 May 2026 09:54:12 GMT\r\nContent-Length: {}\r\n{headers}Connection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        }
    });
    (url, given)
}

fn client(url: String) -> Client {
    let account = Account { key: Secret::new("key"), found: "a test".to_owned(), url, project: None, zone: None };
    Client::new(network().unwrap(), account, 1e4).unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn snapshots(ids: std::ops::Range<u32>, total: u32) -> Canned {
    let snapshot = |id: u32| {
        json!({
            "id": format!("snap-{id}"), "name": "s", "size": 1_000_000_000, "project_id": "p", "created_at": "2026-05-18T09:54:11Z",
            "status": "available",
        })
    };
    let items: Vec<Value> = ids.map(snapshot).collect();
    (200, "", json!({"snapshots": items, "total_count": total}).to_string())
}

/// Lists snapshots: how many there are, and how many requests it took.
fn list(answers: Vec<Canned>) -> (Result<usize, Unread>, usize) {
    let (url, given) = serve(answers);
    let client = client(url);
    let request = Request::get("/block/v1/zones/fr-par-2/snapshots");
    let listed = run(client.list(&request, |it: wire::Snapshots| (it.snapshots, it.total_count)));
    (listed.map(|it| it.items.len()), given.load(Ordering::SeqCst))
}

#[test]
fn an_answer_with_nothing_in_it_is_not_absence() {
    for body in ["{}", r#"{"snapshots": []}"#, r#"{"snapshots": null, "total_count": 0}"#, "", "[]", "<html></html>"] {
        let (listed, _) = list(vec![(200, "", body.to_owned())]);
        assert!(matches!(listed, Err(Unread::Strange(_))), "{body:?}");
    }
    assert!(matches!(list(vec![snapshots(0..0, 0)]), (Ok(0), 1)));
}

#[test]
fn pages_that_do_not_fit_together_are_read_again() {
    assert!(matches!(list(vec![snapshots(0..100, 150), snapshots(100..150, 150)]), (Ok(150), 2)));
    // Something came between the pages: the total moved.
    let moved = vec![snapshots(0..100, 150), snapshots(100..151, 151), snapshots(0..100, 151), snapshots(100..151, 151)];
    assert!(matches!(list(moved), (Ok(151), 4)));
    // Something came and something went: the total did not move, and an item shows twice.
    let shifted = vec![snapshots(0..100, 150), snapshots(99..149, 150), snapshots(0..100, 150), snapshots(100..150, 150)];
    assert!(matches!(list(shifted), (Ok(150), 4)));
    // The list ends before its end.
    let (listed, _) = list(vec![snapshots(0..100, 150), snapshots(0..0, 150)]);
    assert!(matches!(listed, Err(Unread::Strange(_))));
}

#[test]
fn reads_are_tried_again_and_what_is_refused_is_not() {
    assert!(matches!(
        list(vec![(429, "X-Envoy-Ratelimited: true\r\n", String::new()), (0, "", String::new()), snapshots(0..3, 3)]),
        (Ok(3), 3)
    ));
    assert!(matches!(list(vec![(502, "", "<html>".to_owned())]), (Err(Unread::Refused(_)), 4)));
    let denied = json!({"type": "permissions_denied", "message": "insufficient permissions"}).to_string();
    assert!(matches!(list(vec![(403, "", denied)]), (Err(Unread::Refused(_)), 1)));
}

/// A call that makes something: what is true after each answer, and that it was sent once.
#[test]
fn what_makes_something_is_sent_once() {
    let make = |answer: Canned| {
        let (url, given) = serve(vec![answer]);
        let client = client(url);
        let made = run(client.make(&Request::post("/instance/v1/zones/fr-par-2/ips", json!({})), |it: wire::InIp| it.ip.id));
        assert_eq!(given.load(Ordering::SeqCst), 1);
        made.map_err(Problem::from)
    };
    let maybe = |answer: Canned| assert!(matches!(make(answer), Err(Problem::MaybeDone { .. })));
    let not = |answer: Canned| assert!(matches!(make(answer), Err(Problem::NotDone { .. })));
    maybe((0, "", String::new()));
    maybe((500, "", json!({"type": "server_error", "message": "Internal error"}).to_string()));
    maybe((502, "", "<html><h1>502 Bad Gateway</h1></html>".to_owned()));
    maybe((503, "", String::new()));
    maybe((201, "", "{}".to_owned()));
    maybe((504, "", "upstream request timeout".to_owned()));
    not((429, "", String::new()));
    not((409, "", json!({"type": "transient_state", "current_state": "configuring"}).to_string()));
    let unreachable = client("http://127.0.0.1:1".to_owned());
    let made = run(unreachable.make(&Request::post("/x", json!({})), |it: wire::InIp| it.ip.id));
    assert!(matches!(made.map_err(Problem::from), Err(Problem::NotDone { .. })), "nothing was sent");
    let (url, _) = serve(vec![(404, "", json!({"type": "not_found", "resource": "volume"}).to_string())]);
    assert!(run(client(url).delete("/block/v1/zones/fr-par-2/volumes/v".to_owned())).is_ok(), "gone is deleted");
    let (url, _) = serve(vec![(412, "", json!({"type": "precondition_failed", "precondition": "protected_resource"}).to_string())]);
    assert!(matches!(run(client(url).delete("/v".to_owned())), Err(Changed::Refused(_))));
}

/// A group that a list showed a moment ago, and that somebody deletes before its rules are read: that tells nothing of
/// zone and project, and the look is made again.
#[test]
fn what_is_deleted_while_it_is_looked_at_is_looked_at_again() {
    let gone = json!({"type": "not_found", "resource": "instance_security_group", "resource_id": "g"});
    let (url, _) = serve(vec![(404, "", gone.to_string())]);
    let group: wire::Group = serde_json::from_value(json!({
        "id": "g", "name": "g", "project": "p", "stateful": true, "state": "available", "tags": ["cloudypad:v1", "in:default.mypad"],
        "inbound_default_policy": "drop", "outbound_default_policy": "accept",
        "creation_date": "2026-05-18T09:54:11Z", "modification_date": "2026-05-18T09:54:11Z",
    }))
    .unwrap();
    let client = client(url);
    let read = run(RuleBook::open(None).rules(&client, "fr-par-2", std::iter::once(&group)));
    assert!(matches!(read.unwrap_err().cause("fr-par-2", &client), Cause::Passing(_)));
}
