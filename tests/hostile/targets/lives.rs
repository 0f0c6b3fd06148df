//! Honest lives to bend: the real clients with the real emulators, in memory, wish after wish. What went over the wire is
//! kept, and what was true at each wish.

use async_trait::async_trait;
use cloudypad::{
    emulator::{
        Clock, Cloud, Imitate, Market, Settings,
        face::{Face, exchange},
    },
    model::{Ask, Deletion, Ending, Instance, ServerState},
    provider::{
        FirstBoot, Provider, Seed,
        http::{Broken, Secret, Wire},
        linode::{self, Estate, Linode},
        scaleway::{self, Scaleway, Zone},
    },
    read,
    run::{Run, converge},
    store::{Home, Journal},
};
use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};

/// Whose cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    Scaleway,
    Linode,
}

/// One call, and its honest answer.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    /// The path with its query.
    pub path: String,
    pub body: Vec<u8>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub answer: Vec<u8>,
}

/// A moment in a life: a wish was reached. The truth then, the calls that a look there takes, and what is wished next.
pub struct Moment {
    /// The wish that comes next.
    pub next: Ask,
    pub truth: String,
    pub look: Vec<Call>,
}

/// A whole life.
pub struct Life {
    pub moments: Vec<Moment>,
    /// Every call from beginning to end.
    pub calls: Vec<Call>,
}

/// A vendor's life, lived once in a process.
pub fn life(vendor: Vendor) -> &'static Life {
    static LIVES: [OnceLock<Life>; 2] = [OnceLock::new(), OnceLock::new()];
    LIVES[vendor as usize].get_or_init(|| live(vendor))
}

/// How much faster than life these lives are.
const SPEED: f64 = 1e6;

/// A runtime whose clock jumps over every pause.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// The wire to an emulator in memory, which keeps what went over it.
struct Kept {
    face: Face,
    calls: Mutex<Vec<Call>>,
}

/// A request as plain text and bytes.
pub fn spoken(request: &reqwest::Request) -> (String, String, Vec<u8>) {
    let url = request.url();
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let body = request.body().and_then(|it| it.as_bytes()).unwrap_or_default().to_vec();
    (request.method().to_string(), path, body)
}

/// An answer as it comes over a wire.
pub fn answered(status: u16, headers: &[(String, String)], body: Vec<u8>) -> reqwest::Response {
    let mut response = hyper::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap().into()
}

#[async_trait]
impl Wire for Kept {
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, Broken> {
        let (method, path, body) = spoken(&request);
        let mut head = hyper::Request::builder().method(method.as_str()).uri(path.as_str()).body(()).unwrap();
        *head.headers_mut() = request.headers().clone();
        let answer = exchange(&self.face, &head.into_parts().0, &body).0.unwrap();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let (status, headers, answer) = (answer.status().as_u16(), headers.collect::<Vec<_>>(), answer.body().to_vec());
        self.calls.lock().unwrap().push(Call { method, path, body, status, headers: headers.clone(), answer: answer.clone() });
        Ok(answered(status, &headers, answer))
    }
}

fn instance(vendor: Vendor) -> Instance {
    let place = match vendor {
        Vendor::Scaleway => "scaleway: {projectId: 11111111-1111-4111-8111-111111111111, zone: fr-par-2, instanceType: L4-1-24G}",
        Vendor::Linode => "linode: {region: fr-par, instanceType: g2-gpu-rtx4000a1-s}",
    };
    let more = if vendor == Vendor::Scaleway { "\n  dataDiskSnapshot: {enable: true}" } else { "" };
    let text = format!(
        "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata: {{name: mypad}}\nspec:\n  serverState: present\n  \
         provider: {{{place}}}\n  rootDisk: {{sizeGb: 30}}\n  dataDisk: {{sizeGb: 100}}\n  rootDiskSnapshot: {{enable: true, onStop: refresh}}\n  \
         network: {{dns: {{zone: example.com, record: mypad}}}}{more}\n"
    );
    let reading = read::read_text(Path::new("pad.yaml"), &text);
    assert!(reading.problems.is_empty(), "{}", reading.problems[0]);
    reading.specs.into_iter().next().unwrap().instance
}

fn ask(vendor: Vendor, wish: Option<ServerState>) -> Ask {
    let mut instance = instance(vendor);
    instance.spec.server_state = wish.unwrap_or(ServerState::Absent);
    Ask { deletion: wish.is_none().then_some(Deletion { keep_snapshots: false }), ..Ask::of(instance) }
}

/// The real hands for a wish, at the end of a wire.
pub fn hands(vendor: Vendor, wire: Arc<dyn Wire>, ask: &Ask) -> Box<dyn Provider> {
    let seed = || -> Seed {
        Box::new(|| Ok(FirstBoot { document: Secret::new("#cloud-config\n"), authorized: None, fingerprint: "0".repeat(40) }))
    };
    let (key, url, found) = (Secret::new("0123456789abcdef0123456789abcdef"), "http://localhost".to_owned(), "a test".to_owned());
    let keys = [ask.key.clone()];
    match vendor {
        Vendor::Scaleway => {
            let account = scaleway::Account { key, found, url, project: None, zone: None };
            let zone = Arc::new(Zone::over(wire, account, "fr-par-2", &keys, None, SPEED).unwrap());
            Box::new(Scaleway::new(zone, "11111111-1111-4111-8111-111111111111", ask, seed(), SPEED))
        }
        Vendor::Linode => {
            let account = linode::Account { token: key, found, url, version: "v4".to_owned() };
            let names: Vec<_> = ask.spec.network.dns.clone().into_iter().collect();
            let estate = Arc::new(Estate::over(wire, account, &keys, &names, SPEED).unwrap());
            Box::new(Linode::new(estate, ask, seed(), SPEED))
        }
    }
}

fn cloud(vendor: Vendor) -> Cloud {
    let (imitate, market) = match vendor {
        Vendor::Scaleway => (Imitate::Volumes, Market::Scaleway),
        Vendor::Linode => (Imitate::LocalDisks, Market::Linode),
    };
    Cloud::in_memory(Settings { imitate, clock: Clock::Speed(SPEED) }, market, 7).unwrap()
}

fn live(vendor: Vendor) -> Life {
    let wishes = [Some(ServerState::Present), Some(ServerState::Stopped), Some(ServerState::Absent), Some(ServerState::Present), None];
    let home = std::env::temp_dir().join(format!("cloudypad-life-{}-{vendor:?}", std::process::id()));
    let wire = Arc::new(Kept { face: Face::new(cloud(vendor), None).unwrap(), calls: Mutex::default() });
    let take = || std::mem::take(&mut *wire.calls.lock().unwrap());
    let (mut moments, mut calls) = (Vec::new(), Vec::new());
    let runtime = runtime();
    if vendor == Vendor::Linode {
        let zone = serde_json::json!({"domain": "example.com", "type": "master", "soa_email": "me@example.com"});
        let mut request = reqwest::Request::new(reqwest::Method::POST, "http://localhost/v4/domains".parse().unwrap());
        request.headers_mut().insert("authorization", "Bearer anybody".parse().unwrap());
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        *request.body_mut() = Some(zone.to_string().into());
        assert_eq!(runtime.block_on(wire.carry(request)).unwrap().status().as_u16(), 200);
    }
    for (number, wish) in wishes.into_iter().enumerate() {
        let ask = ask(vendor, wish);
        let hands = hands(vendor, wire.clone(), &ask);
        let mut journal = Journal::open(&Home::at(&home), &ask.key).unwrap();
        let (_teller, stop) = tokio::sync::watch::channel(false);
        let run = Run {
            ask: &ask,
            provider: hands.as_ref(),
            journal: &mut journal,
            stop,
            inside: None,
            patience: None,
            not_before: None,
            tell: &|_| {},
            show: &|_, _| {},
        };
        let ending = runtime.block_on(converge(run)).unwrap();
        assert!(matches!(ending, Ending::Done { .. }), "{vendor:?}: {wish:?}: {ending:?}");
        calls.extend(take());
        runtime.block_on(hands.observe(&ask.key));
        let look = take();
        let truth = serde_json::to_string(&wire.face.cloud().truth().unwrap()).unwrap();
        let next = self::ask(vendor, wishes[(number + 1) % wishes.len()]);
        moments.push(Moment { next, truth, look });
    }
    let _ = std::fs::remove_dir_all(home);
    Life { moments, calls }
}
