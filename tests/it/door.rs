//! The door of the watch, in HTTP: who is let in, what is told, and to whom nothing happens.

use crate::support::{
    fleet::{Told, condition, example, key, running},
    porter::{Caller, Porter, Said},
    shop::{Shop, pad},
    teller::Teller,
};
use crate::watch::save;
use cloudypad::{
    model::{Answer, ConditionKind, Event, InstanceKey, Readiness},
    watch::{Closed, Door, Hook, Hub, Limits, Order, Question, Row, Rules, Token},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

const TOKEN: &str = "a token of the tests";
const BEARER: &str = "authorization: Bearer a token of the tests";

fn locked() -> Rules {
    Rules { token: Some(Token::new(TOKEN).unwrap()), ..Rules::default() }
}

/// It is alive at once, and ready once the source was read and everything in it looked at.
#[test]
fn it_is_ready_once_everything_was_looked_at() {
    let porter = Porter::with(Rules::default());
    let ready = || porter.get("/readyz");
    assert_eq!((porter.get("/healthz").status, ready().status), (200, 503));
    porter.hub.declared([key("mypad"), key("couch")]);
    porter.hub.saw(&key("mypad"), &running());
    assert_eq!(ready().body, "not looked at yet: 1\n");
    porter.hub.saw(&key("couch"), &running());
    assert_eq!(ready().status, 200);
    // One more file: not ready. It goes again: ready.
    porter.hub.declared([key("mypad"), key("couch"), key("attic")]);
    assert_eq!(ready().status, 503);
    porter.hub.declared([key("mypad"), key("couch")]);
    assert_eq!(ready().status, 200);
    porter.hub.unread();
    assert_eq!(ready().status, 200, "what is known stays");
}

/// The page is whole without a script, and says what is wished, what is, and why.
#[test]
fn a_page_tells_what_is_known() {
    let porter = Porter::with(Rules::default());
    let (row, planned) = example("scaleway.yaml", "mypad");
    porter.hub.declared([key("mypad"), key("attic")]);
    porter.hub.saw(&key("mypad"), &row);
    let fleet = porter.get("/");
    assert_eq!((fleet.status, fleet.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(fleet.body.contains("not looked at yet") && fleet.body.contains("href=\"/i/default/mypad\""), "{}", fleet.body);
    let run = Told { hub: &porter.hub, key: key("mypad"), run: "r1" };
    run.began("specs/mypad.yaml was saved", &planned);
    let first = &planned.acts[0].line;
    run.started(first);
    run.finished(first, Duration::from_millis(20));
    let page = porter.get("/i/default/mypad").body;
    for words in ["provider.scaleway.zone", "specs/mypad.yaml was saved", "under way", &format!("{first}, done")] {
        assert!(page.contains(words), "{words} in {page}");
    }
    for act in &planned.acts {
        assert!(page.contains(&format!("<span class=\"what\">{}</span>", act.line)), "{} in {page}", act.line);
    }
    // A run that nothing came of does not take its place.
    run.done(1);
    let idle = Told { run: "r2", ..run };
    idle.began("every 5 minutes", &planned);
    idle.done(0);
    assert!(porter.get("/i/default/mypad").body.contains("run r1"));
    porter.hub.left(&key("mypad"));
    let gone = porter.get("/i/default/mypad");
    assert!(gone.status == 404 && gone.body.contains("Back to the fleet"));
}

/// Nothing that anybody wrote becomes a part of the page, and a browser is told to take no script but ours.
#[test]
fn nothing_from_outside_becomes_markup() {
    let porter = Porter::with(Rules::default());
    let bad = "\"><script>alert(1)</script>\u{202e}";
    let key = InstanceKey { namespace: bad.to_owned(), name: format!("a/b?{bad}") };
    let mut row = running();
    (row.place, row.standing, row.commit) = (bad.to_owned(), bad.to_owned(), Some(bad.to_owned()));
    porter.hub.saw(&key, &row);
    let fleet = porter.get("/");
    let link = fleet.body.split("href=\"").find(|it| it.starts_with("/i/")).unwrap().split('"').next().unwrap();
    let page = porter.get(link);
    assert_eq!(page.status, 200, "{link}");
    for said in [&fleet, &page, &porter.get(&format!("/{}", "%3Cscript%3E"))] {
        assert!(!said.body.contains("<script>") && !said.body.contains('\u{202e}'), "{}", said.body);
        let policy = said.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(said.header("x-content-type-options"), "nosniff");
    }
}

/// Whoever was away is told what he missed, in order, and nothing twice; whoever was away too long is told so.
#[test]
fn what_was_missed_is_told_afterwards() {
    let porter = Porter::with(Rules::default());
    let run = |name: &str| Told { hub: &porter.hub, key: key(name), run: "r1" };
    let mut listener = porter.listen("/events?instance=default/mypad", &[]);
    run("couch").said("of another");
    run("mypad").said("first");
    let heard = listener.until("first").join("\n");
    assert!(!heard.contains("of another"), "{heard}");
    let id = heard.lines().find_map(|it| it.strip_prefix("id: ")).unwrap().to_owned();
    drop(listener);
    for text in ["second", "third"] {
        run("mypad").said(text);
    }
    let resume = format!("last-event-id: {id}");
    let mut listener = porter.listen("/events?instance=default/mypad", &[&resume]);
    let heard = listener.until("third").join("\n");
    assert!(heard.contains("second") && !heard.contains("first") && !heard.contains("lost"), "{heard}");
    // More than is kept; and an id of a process before this one.
    for number in 0..600 {
        run("mypad").said(&format!("number {number}"));
    }
    run("mypad").said("last");
    for stale in [resume.as_str(), "last-event-id: 5f3a-7", "last-event-id: nonsense"] {
        let heard = porter.listen("/events", &[stale]).until("last\"").join("\n");
        assert!(heard.contains("lost") && heard.contains("number 599") && !heard.contains("number 0\""), "{stale}");
    }
}

/// Tells more than fits between here and a listener who takes nothing.
fn flood(hub: &Hub) {
    let run = Told { hub, key: key("mypad"), run: "r1" };
    let long = "x".repeat(1990);
    (0..8000).for_each(|_| run.said(&long));
    run.said("the end");
}

/// A listener who falls behind loses the oldest, is told so, and hears the latest.
#[test]
fn who_falls_behind_is_told_so() {
    let porter = Porter::with(Rules::default());
    let mut slow = porter.listen("/events", &[]);
    let mut quick = porter.listen("/events?instance=default/other", &[]);
    flood(&porter.hub);
    Told { hub: &porter.hub, key: key("other"), run: "r1" }.said("unhindered");
    quick.until("unhindered");
    let heard = slow.until("the end");
    assert!(heard.iter().any(|it| it == "data: {\"type\":\"lost\"}"));
}

/// Who takes nothing, or says nothing, is let go; there is room for others again.
#[test]
fn who_does_nothing_keeps_nobody_out() {
    let limits = Limits { connections: 1, silence: Duration::from_millis(300), stall: Duration::from_millis(300), ..Limits::default() };
    let porter = Porter::with(Rules { limits, ..Rules::default() });
    let is_free = || porter.get("/healthz").status == 200;
    let until_free = || while !is_free() {};
    let deaf = porter.listen("/events", &[]);
    assert!(!is_free(), "one more is turned away");
    flood(&porter.hub);
    until_free();
    deaf.hear_out();
    for beginning in ["", "GET / HTTP/1.1\r\nho", "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\ntok"] {
        let mut mute = until_called(&porter);
        mute.write_all(beginning.as_bytes()).unwrap();
        // It is closed by the other side.
        let _ = mute.read_to_end(&mut Vec::new());
        drop(mute);
        until_free();
    }
}

/// A connection that was taken.
fn until_called(porter: &Porter) -> TcpStream {
    loop {
        let mut stream = porter.call();
        // Being turned away is told at once, before anything was asked.
        let mut byte = [0];
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        if stream.read(&mut byte).is_err_and(|it| it.kind() == std::io::ErrorKind::WouldBlock) {
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            return stream;
        }
    }
}

/// Heads and bodies have bounds.
#[test]
fn what_is_too_long_is_not_read() {
    let check: cloudypad::watch::HookCheck = Arc::new(|_, _| Hook::Accepted);
    let porter = Porter::with(Rules { hook: Some(check), ..locked() });
    let long = format!("x-long: {}", "x".repeat(20_000));
    assert_eq!(porter.get_with("/healthz", &[&long]).status, 431);
    let body = format!("token={}", "x".repeat(5_000));
    assert_eq!(porter.post("/login", &[&porter.own_origin()], &body).status, 413);
    assert_eq!(porter.post("/hook", &[], &"x".repeat(1_100_000)).status, 413);
    assert_eq!(porter.post("/hook", &[], &"x".repeat(1_000_000)).status, 202);
}

/// Without a token it is for this machine's browsers alone, whatever name leads here, and for reading.
#[test]
fn without_a_token_it_is_for_reading_here() {
    let porter = Porter::with(Rules::default());
    porter.hub.saw(&key("mypad"), &running());
    for (host, status) in [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:9", 200), ("evil.example", 421), ("10.0.0.1", 421)] {
        for path in ["/", "/i/default/mypad", "/metrics", "/events"] {
            if path == "/events" && status == 200 {
                continue;
            }
            let first = format!("GET {path} HTTP/1.1");
            assert_eq!(porter.say(&[&first, &format!("host: {host}")], "").status, status, "{path} at {host}");
        }
    }
    assert_eq!(porter.say(&["GET http://evil.example/ HTTP/1.1", "host: localhost"], "").status, 421);
    for order in ["/i/default/mypad/wake", "/i/default/mypad/apply-now", "/approve"] {
        let said = porter.post(order, &[&porter.own_origin(), BEARER], "");
        assert!(said.status == 403 && said.body.contains("Back to the fleet"), "{order}: {said:?}");
    }
    assert!(!porter.get("/i/default/mypad").body.contains("<button"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let everywhere = Door::open("0.0.0.0:0".parse().unwrap(), Arc::new(Hub::new()), Rules::default());
    let advice = runtime.block_on(everywhere).unwrap_err();
    assert!(matches!(advice, Closed::Open(_)) && advice.to_string().contains("ssh -L"), "{advice}");
    runtime.block_on(Door::open("0.0.0.0:0".parse().unwrap(), Arc::new(Hub::new()), locked())).unwrap();
}

/// The token opens, in a header or, through the form, as a cookie; a cookie orders only from a page of ours.
#[test]
fn the_token_opens_and_orders() {
    let mut porter = Porter::with(locked());
    porter.hub.saw(&key("mypad"), &running());
    let closed = porter.get("/i/default/mypad");
    assert!(closed.status == 401 && closed.body.contains("/login") && !closed.body.contains("mypad"), "{closed:?}");
    for path in ["/metrics", "/events"] {
        assert_eq!(porter.get(path).status, 401);
        assert_eq!(porter.get_with(path, &["authorization: Bearer a token of the test"]).status, 401);
    }
    assert_eq!(porter.get_with("/metrics", &[BEARER]).status, 200);
    let origin = porter.own_origin();
    assert_eq!(porter.post("/login", &[&origin], "token=wrong").status, 401);
    assert_eq!(porter.post("/login", &["origin: http://evil.example"], "token=a+token+of+the+tests").status, 403);
    let opened = porter.post("/login", &[&origin], "token=a+token+of+the+tests");
    let cookie = opened.header("set-cookie").to_owned();
    assert!(opened.status == 303 && cookie.ends_with("; HttpOnly; SameSite=Strict") && !cookie.contains("token"), "{opened:?}");
    let cookie = format!("cookie: {}", cookie.split(';').next().unwrap());
    assert!(porter.get_with("/i/default/mypad", &[&cookie]).body.contains("/i/default/mypad/wake"));

    let wake = |porter: &Porter, headers: &[&str]| porter.post("/i/default/mypad/wake", headers, "");
    assert_eq!(wake(&porter, &[&cookie]).status, 403, "nobody says which page sent it");
    assert_eq!(wake(&porter, &[&cookie, "origin: http://evil.example"]).status, 403);
    assert_eq!(wake(&porter, &[&cookie, &origin, "sec-fetch-site: same-site"]).status, 403);
    assert!(porter.orders.try_recv().is_err());
    let taken = wake(&porter, &[&cookie, &origin, "sec-fetch-site: same-origin"]);
    assert_eq!((taken.status, taken.header("location")), (303, "/i/default/mypad?asked=wake"));
    assert_eq!(porter.orders.try_recv().unwrap(), Order::Wake(key("mypad")));
    assert_eq!(porter.post("/i/default/mypad/apply-now", &[BEARER], "").status, 202);
    assert_eq!(porter.orders.try_recv().unwrap(), Order::Look(key("mypad")));
    assert_eq!(porter.post("/i/default/nobody/wake", &[BEARER], "").status, 404);
    assert_eq!(porter.get_with("/i/default/mypad/wake", &[BEARER]).status, 405);
}

/// Only what waits for approval is approved.
#[test]
fn what_is_asked_is_approved() {
    let mut porter = Porter::with(locked());
    let approve = |porter: &Porter| porter.post("/approve", &[BEARER], "what=4c1d").status;
    assert_eq!(approve(&porter), 404);
    porter.hub.asks(vec![Question { what: "4c1d".to_owned(), message: "9 of 12 instances would be archived".to_owned() }]);
    assert!(porter.get_with("/", &[BEARER]).body.contains("9 of 12 instances would be archived"));
    assert_eq!(approve(&porter), 202);
    assert_eq!(porter.orders.try_recv().unwrap(), Order::Approve("4c1d".to_owned()));
    // Nobody takes orders any more.
    porter.orders.close();
    assert_eq!(approve(&porter), 503);
}

/// A Git host needs no token: what it says is judged by what it signed.
#[test]
fn a_git_host_is_judged_by_its_signature() {
    let check: cloudypad::watch::HookCheck = Arc::new(|headers, body| match (headers.get("x-signature"), body) {
        (Some(it), b"push") if it == "good" => Hook::Accepted,
        (Some(it), _) if it == "good" => Hook::Ignored,
        _ => Hook::Refused,
    });
    let porter = Porter::with(Rules { hook: Some(check), ..locked() });
    assert_eq!(porter.post("/hook", &["x-signature: good"], "push").status, 202);
    assert_eq!(porter.post("/hook", &["x-signature: good"], "ping").status, 200);
    assert_eq!(porter.post("/hook", &["x-signature: bad"], "push").status, 401);
    assert_eq!(porter.get("/hook").status, 405);
    assert_eq!(Porter::with(locked()).post("/hook", &["x-signature: good"], "push").status, 404);
}

/// The numbers, as Prometheus's own library reads them, whatever names are in them.
#[test]
fn numbers_are_read_by_prometheus() {
    let porter = Porter::with(Rules::default());
    let odd = InstanceKey { namespace: "default".to_owned(), name: "a\"b\\c\nd}".to_owned() };
    let (row, planned) = example("scaleway.yaml", "mypad");
    let held = Row { conditions: vec![condition(ConditionKind::Held, "Suspended", "hands off")], ..row.clone() };
    porter.hub.declared([key("mypad"), odd.clone()]);
    porter.hub.saw(&odd, &held);
    let drifted = Row { conditions: vec![condition(ConditionKind::Drifted, "ServerGone", "its server is gone")], ..running() };
    [running(), drifted.clone(), drifted, running()].iter().for_each(|it| porter.hub.saw(&key("mypad"), it));
    porter.hub.called("scaleway", 120, 3);
    porter.hub.unread();
    let run = Told { hub: &porter.hub, key: key("mypad"), run: "r1" };
    run.began("by hand", &planned);
    let first = &planned.acts[0].line;
    run.started(first);
    run.finished(first, Duration::from_millis(700));
    run.waited("server mypad runs", Duration::from_secs(40));
    run.done(1);
    porter.hub.failed(&key("mypad"), "r0", "not this run");
    let port = Readiness { address: "51.15.0.7".to_owned(), port: 47989, answer: Answer::Open, remedy: String::new() };
    run.tell(&Event::Ready(port));
    let said = porter.get("/metrics");
    assert_eq!(said.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let Some(samples) = parsed(&said) else { return };
    let line = |words: &str| assert!(samples.lines().any(|it| it == words), "{words:?} in {samples}");
    line("cloudypad_held 1.0 {'code': 'Suspended', 'name': 'a\"b\\\\c\\nd}', 'namespace': 'default'}");
    line("cloudypad_reconciles_total 1.0 {'result': 'done'}");
    line("cloudypad_reconciles_total 0.0 {'result': 'failed'}");
    line("cloudypad_drift_total 1.0 {}");
    line("cloudypad_api_calls_total 120.0 {'vendor': 'scaleway'}");
    line("cloudypad_api_throttled_total 3.0 {'vendor': 'scaleway'}");
    line("cloudypad_source_reads_total 1.0 {}");
    line("cloudypad_source_failures_total 1.0 {}");
    line("cloudypad_phase_seconds_bucket 0.0 {'le': '30', 'phase': 'wait'}");
    line("cloudypad_phase_seconds_bucket 1.0 {'le': '60', 'phase': 'wait'}");
    line("cloudypad_phase_seconds_bucket 1.0 {'le': '+Inf', 'phase': 'wait'}");
    line("cloudypad_phase_seconds_sum 40.0 {'phase': 'wait'}");
    line("cloudypad_time_to_playable_seconds_count 1.0 {}");
    line("cloudypad_instances 1.0 {'standing': 'running'}");
}

/// Every sample that Prometheus's Python library finds, a line each.
fn parsed(said: &Said) -> Option<String> {
    let script = "import sys\nfrom prometheus_client.parser import text_string_to_metric_families as families\n\
                  for family in families(sys.stdin.read()):\n  assert family.documentation and family.type != 'unknown', family\n  \
                  for it in family.samples: print(it.name, it.value, dict(sorted(it.labels.items())))";
    let python = |script: &str| {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.spawn().ok()
    };
    let is_there = python("import prometheus_client").and_then(|mut it| it.wait().ok()).is_some_and(|it| it.success());
    if !is_there {
        println!("skipped: no python3-prometheus-client");
        return None;
    }
    let mut reader = python(script)?;
    reader.stdin.take().unwrap().write_all(said.body.as_bytes()).unwrap();
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success(), "{}", said.body);
    Some(String::from_utf8(read.stdout).unwrap())
}

/// A thousand instances are kept within a few megabytes, and are shown.
#[test]
fn a_thousand_instances_take_little_room() {
    let porter = Porter::with(Rules::default());
    let name = |number: usize| format!("pad-{number:04}");
    porter.hub.declared((0..1000).map(|it| key(&name(it))));
    let row = running();
    (0..1000).for_each(|it| porter.hub.saw(&key(&name(it)), &row));
    let numbers = porter.get("/metrics").body;
    let kept: usize = numbers.lines().find_map(|it| it.strip_prefix("cloudypad_kept_bytes ")?.parse().ok()).unwrap();
    assert!((100_000..4_000_000).contains(&kept), "{kept} bytes");
    assert!(porter.get("/").body.contains("pad-0999"));
    assert_eq!(porter.get("/readyz").status, 200);
}

/// The real watch: a whole life is told as it goes on, shown afterwards, counted, and ordered about.
#[test]
fn a_life_is_told_as_it_goes_on() {
    let shop = Shop::new();
    save(&shop, "pad.yaml", &pad("present", ""));
    shop.write("token", &format!("{TOKEN}\n"));
    let mut watch = Teller::of(&mut shop.command(&["watch", "specs", "--listen", "0", "--token-file", "token"]));
    watch.until("the page is at http://");
    let address = watch.told.last().unwrap().split("http://").nth(1).unwrap().trim_end_matches('/').parse().unwrap();
    let door = Caller { address };
    assert_eq!(door.get("/").status, 401);
    // Everything since the watch began, though some of it may have been told before this was asked.
    let mut listener = door.listen("/events?instance=default/mypad&after=the-beginning", &[BEARER]);
    let heard = listener.until("\"verdict\":\"done\"").join("\n");
    for words in ["create server mypad", "\"type\":\"row\"", "snapshot root disk 30 GB, done"] {
        assert!(heard.contains(words), "{words} in {heard}");
    }
    assert_eq!(door.get("/readyz").status, 200);
    let page = door.get_with("/i/default/mypad", &[BEARER]).body;
    for words in
        ["specs/pad.yaml:", "it was time for another look", "planned", "took", "in:default.mypad", "data disk 100 GB", "dataDisk.sizeGb"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }

    save(&shop, "pad.yaml", &pad("absent", ""));
    let heard = listener.until("\"verdict\":\"done\"").join("\n");
    assert!(heard.contains("delete server mypad"), "{heard}");
    let page = door.get_with("/i/default/mypad", &[BEARER]).body;
    assert!(page.contains("what is declared changed") && page.contains("archived") && page.contains("in sync"), "{page}");

    assert_eq!(door.post("/i/default/mypad/apply-now", &[BEARER], "").status, 202);
    listener.until("\"verdict\":\"done\"");
    let numbers = door.get_with("/metrics", &[BEARER]).body;
    for line in
        ["cloudypad_reconciles_total{result=\"done\"} 3", "cloudypad_instances{standing=\"archived\"} 1", "cloudypad_runs_under_way 0"]
    {
        assert!(numbers.contains(&format!("{line}\n")), "{line} in {numbers}");
    }
    assert_eq!(watch.interrupt(), 130);
    listener.hear_out();
}

/// A door that others could come through, without a key, is not opened; nor one with a key that could be guessed.
#[test]
fn a_watch_opens_no_door_to_everybody() {
    let shop = Shop::new();
    shop.write("specs/pad.yaml", &pad("present", ""));
    let open = shop.expect(1, &["watch", "specs", "--listen", "0.0.0.0:0"]);
    assert!(open.err.contains("no token is set"), "{}", open.err);
    shop.write("token", "123\n");
    let weak = shop.expect(1, &["watch", "specs", "--listen", "0", "--token-file", "token"]);
    assert!(weak.err.contains("could be guessed"), "{}", weak.err);
    assert_eq!(shop.calls(), 0);
}
