//! The page, as people see it: in a real browser, wide and narrow, light and dark, by keyboard, without scripts.

use crate::support::{
    browser::Browser,
    fleet::{Told, condition, example, key, object, running},
    porter::Porter,
    shop::{SPEED, Shop, pad},
    teller::Teller,
};
use crate::watch::save;
use cloudypad::{
    model::ConditionKind,
    watch::{Hub, Order, Question, Row, Rules, Switch, Token},
};
use std::time::Duration;

const TOKEN: &str = "a token of the tests";
/// What somebody might call an instance, and whatever else a stranger may choose.
const HOSTILE: &str = "<script>window.owned=1</script><img src=x onerror=window.owned=1>\"'&";

/// Three instances: one that runs, one on its way, one that needs its owner.
fn furnish(hub: &Hub) {
    hub.declared([key("mypad"), key("couch"), key("attic")]);
    hub.saw(&key("mypad"), &running());
    let mut held = running();
    held.standing = "archived".to_owned();
    held.conditions = vec![condition(ConditionKind::Held, "OutOfStock", "no machine is free to create server attic: L4-1-24G is sold out")];
    held.switch = Some(Switch { at: "2026-11-27T18:00:00Z".parse().unwrap(), to: "running".to_owned() });
    held.observed = vec![object("root snapshot", "ready"), object("data snapshot", "ready")];
    hub.saw(&key("attic"), &held);
    let (row, planned) = example("scaleway.yaml", "couch");
    hub.saw(&key("couch"), &row);
    let run = Told { hub, key: key("couch"), run: "20261124-a1" };
    run.began("specs/couch.yaml was saved", &planned);
    for act in planned.acts.iter().take(5) {
        run.started(&act.line);
        run.finished(&act.line, Duration::from_millis(300));
    }
    run.waited("server couch runs", Duration::from_secs(2));
    let next = &planned.acts[5].line;
    run.started(next);
}

fn address(porter: &Porter, path: &str) -> String {
    format!("http://{}{path}", porter.address)
}

/// The pages, at the width of a telephone and of a desk, never scroll sideways.
#[test]
fn pages_fit_telephones_and_desks() {
    let Some(mut browser) = Browser::open() else { return };
    let porter = Porter::with(Rules::default());
    furnish(&porter.hub);
    let long = Row { place: "x".repeat(300), standing: "y".repeat(200), ..running() };
    porter.hub.saw(&key(&"long-name-".repeat(20)), &long);
    let long_page = format!("/i/default/{}", "long-name-".repeat(20));
    for (width, height) in [(360, 740), (1280, 900)] {
        browser.size(width, height);
        for path in ["/", "/i/default/mypad", "/i/default/couch", &long_page, "/nowhere"] {
            browser.visit(&address(&porter, path));
            let wide = browser.ask("document.scrollingElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= u64::from(width), "{path} is {wide} wide in a window of {width}");
        }
    }
}

/// Every text stands out from what is behind it, by light and in the dark (WCAG AA: 4.5 to 1).
#[test]
fn every_text_is_legible_by_light_and_in_the_dark() {
    let Some(mut browser) = Browser::open() else { return };
    let porter = Porter::with(Rules::default());
    furnish(&porter.hub);
    porter.hub.asks(vec![Question { what: "4c1d".to_owned(), message: "9 of 12 instances would be archived by one change".to_owned() }]);
    let mut papers = Vec::new();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        for path in ["/", "/i/default/couch", "/i/default/attic"] {
            browser.visit(&address(&porter, path));
            let worst = browser.ask(
                "(() => { const rgb = it => it.match(/[\\d.]+/g).map(Number); \
                 const light = it => { const [r, g, b] = rgb(it).slice(0, 3).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); \
                   return .2126 * r + .7152 * g + .0722 * b; }; \
                 const behind = it => { for (; it; it = it.parentElement) { const c = getComputedStyle(it).backgroundColor; \
                   if ((rgb(c)[3] ?? 1) > 0) return c; } return 'rgb(255,255,255)'; }; \
                 let worst = [99, '']; \
                 for (const it of document.body.querySelectorAll('*')) { \
                   if (![...it.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue; \
                   const [a, b] = [light(getComputedStyle(it).color), light(behind(it))].sort((x, y) => y - x); \
                   const ratio = (a + .05) / (b + .05); if (ratio < worst[0]) worst = [ratio, it.outerHTML]; } \
                 return worst; })()",
            );
            assert!(worst[0].as_f64().unwrap() >= 4.5, "{scheme} {path}: {worst}");
        }
        papers.push(browser.ask("getComputedStyle(document.documentElement).backgroundColor"));
    }
    assert_ne!(papers[0], papers[1], "the dark is another");
}

/// What strangers wrote is shown as they wrote it, and does nothing.
#[test]
fn what_strangers_wrote_is_text() {
    let Some(mut browser) = Browser::open() else { return };
    let porter = Porter::with(Rules::default());
    let hostile = || HOSTILE.to_owned();
    let mut row = running();
    (row.place, row.standing, row.wished, row.commit) = (hostile(), hostile(), hostile(), Some(hostile()));
    row.conditions = vec![condition(ConditionKind::Held, HOSTILE, HOSTILE)];
    row.plan["notes"] = serde_json::json!([HOSTILE]);
    row.desired = serde_json::json!({HOSTILE: HOSTILE});
    let mut tagged = object(HOSTILE, HOSTILE);
    (tagged.id, tagged.size, tagged.tags) = (hostile(), hostile(), vec![hostile()]);
    (row.observed, row.billed) = (vec![tagged], vec![hostile()]);
    porter.hub.saw(&key(HOSTILE), &row);
    let run = Told { hub: &porter.hub, key: key(HOSTILE), run: "r1" };
    run.began(HOSTILE, &example("scaleway.yaml", "couch").1);
    browser.visit(&address(&porter, "/"));
    browser.forget();
    // The way a reader takes.
    browser.ask("document.querySelector('#fleet a').click()");
    browser.await_page();
    browser.await_text("live");
    run.said(&format!("{HOSTILE} said"));
    browser.await_text(&format!("{HOSTILE} said"));
    let shown = browser.ask("document.querySelectorAll('details').forEach(it => it.open = true), document.body.innerText");
    let times = shown.as_str().unwrap().matches(HOSTILE).count();
    assert!(times >= 12, "shown {times} times in {shown}");
    assert!(browser.ask("window.owned ?? null").is_null());
    assert_eq!(browser.ask("document.querySelectorAll('main script, main img').length"), 0);
}

/// A run is followed while it goes on, without loading the page anew.
#[test]
fn a_run_is_followed_as_it_goes_on() {
    let Some(mut browser) = Browser::open() else { return };
    let porter = Porter::with(Rules::default());
    furnish(&porter.hub);
    browser.visit(&address(&porter, "/i/default/couch"));
    browser.await_text("live");
    browser.ask("window.mark = 1; document.querySelector('#home').focus()");
    let (_, planned) = example("scaleway.yaml", "couch");
    let run = Told { hub: &porter.hub, key: key("couch"), run: "20261124-a1" };
    let line = &planned.acts[5].line;
    run.finished(line, Duration::from_secs(3));
    browser.await_text(&format!("{line}, done in 3s"));
    run.done(6);
    porter.hub.saw(&key("couch"), &running());
    browser.await_text("done after");
    browser.await_text("in sync");
    assert_eq!(browser.ask("window.mark"), 1, "it is still the same page");
    // And so is the fleet, where an instance that leaves goes.
    browser.visit(&address(&porter, "/"));
    browser.await_text("live");
    porter.hub.left(&key("attic"));
    let gone = "new Promise(done => { const look = () => !document.body.innerText.includes('attic') && done(true); \
                new MutationObserver(look).observe(document, {subtree: true, childList: true}); look(); })";
    browser.ask(gone);
}

/// Without scripts everything is there, and the token opens, and orders are taken.
#[test]
fn without_scripts_and_mouse_everything_is_reached() {
    let Some(mut browser) = Browser::open() else { return };
    let mut porter = Porter::with(Rules { token: Some(Token::new(TOKEN).unwrap()), ..Rules::default() });
    furnish(&porter.hub);
    browser.switch_scripts(false);
    browser.visit(&address(&porter, "/"));
    while browser.ask("document.activeElement.id") != "token" {
        browser.press("Tab");
    }
    browser.write(TOKEN);
    browser.forget();
    browser.press("Enter");
    browser.await_page();
    let fleet = browser.ask("document.body.innerText");
    for words in ["mypad", "couch", "attic", "OutOfStock", "sold out", "running at 2026-11-27 18:00 UTC"] {
        assert!(fleet.as_str().unwrap().contains(words), "{words} in {fleet}");
    }
    for path in ["/", "/i/default/couch", "/i/default/mypad"] {
        browser.visit(&address(&porter, path));
        let controls = browser.ask("document.querySelectorAll('a[href], button, summary, input:not([type=hidden])').length");
        let mut reached = Vec::new();
        loop {
            browser.press("Tab");
            let at = browser.ask(
                "(() => { const it = document.activeElement, style = getComputedStyle(it); \
                 return [[...document.querySelectorAll('*')].indexOf(it), it === document.body || style.outlineStyle !== 'none', it.outerHTML]; })()",
            );
            assert_eq!(at[1], true, "focus shows at {at}");
            if at[2].as_str().unwrap().starts_with("<body") || reached.contains(&at[0]) {
                break;
            }
            reached.push(at[0].clone());
        }
        assert_eq!(controls, reached.len(), "{path}");
    }
    while browser.ask("document.activeElement.id") != "wake" {
        browser.press("Tab");
    }
    browser.forget();
    browser.press("Enter");
    browser.await_page();
    assert_eq!(porter.orders.try_recv().unwrap(), Order::Wake(key("mypad")));
    assert!(browser.ask("document.body.innerText").as_str().unwrap().contains("It is asked to wake."));
    // What is asked of a browser about its own cookie, scripts are not told.
    browser.switch_scripts(true);
    browser.visit(&address(&porter, "/"));
    assert_eq!(browser.ask("document.cookie"), "");
}

/// The real watch: a life is seen as it goes on, planned beside come, without loading the page anew. With
/// `CLOUDYPAD_PICTURE=examples/page.png` a picture of that is taken, in the middle, for who reads of it.
#[test]
fn a_life_is_seen_as_it_goes_on() {
    let Some(mut browser) = Browser::open() else { return };
    let picture = std::env::var_os("CLOUDYPAD_PICTURE");
    let shop = Shop::new();
    let speed = if picture.is_some() { 5 } else { 100 };
    save(&shop, "mypad.yaml", &pad("present", "").replace(&format!("speed: {SPEED}"), &format!("speed: {speed}")));
    let mut watch = Teller::of(&mut shop.command(&["watch", "specs", "--listen", "0"]));
    watch.until("the page is at ");
    let fleet = watch.told.last().unwrap().split("is at ").nth(1).unwrap().to_owned();
    browser.size(1100, 1000);
    browser.prefer("light");
    browser.visit(&format!("{fleet}i/default/mypad"));
    browser.await_text("live");
    browser.ask("window.mark = 1");
    browser.await_text("stop server mypad, done");
    if let Some(file) = picture {
        // A bar grows while one looks.
        browser.ask("new Promise(done => setTimeout(done, 5000))");
        std::fs::write(file, browser.picture()).unwrap();
    }
    browser.await_text("done after");
    browser.await_text("Nothing to do.");
    assert_eq!(browser.ask("window.mark"), 1, "it is still the same page");
    let bars = browser.ask("[...document.querySelectorAll('.bars li')].filter(it => it.querySelectorAll('rect').length === 2).length");
    assert!(bars.as_u64().unwrap() >= 10, "{bars} bars, planned beside come");
    assert_eq!(watch.interrupt(), 130);
    browser.await_text("no connection");
}
