//! The emulator's side of a trace: a cloud in a box whose clock is moved by hand, with the real hands to work in it.

use crate::order::Order;
use async_trait::async_trait;
use cloudypad::{
    emulator::{
        self, Clock, Imitate, Market, Moment, RefusalKind, Settings, Truth,
        face::{Face, exchange},
    },
    model::{Ask, Capabilities, Deletion, Expendable, Id, Quiet, Spared, Step, Volume, Word, World},
    provider::{
        FirstBoot, Problem, Provider,
        http::{Broken, Secret, Wire},
        linode::{self, Estate, Linode},
        local::Local,
        scaleway::{self, Scaleway, Zone},
    },
};
use std::{cell::RefCell, sync::Arc, time::Duration};
use tokio::runtime::Runtime;

/// What a call came to, as far as whoever made it must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// Not now.
    NotDone,
    /// Not without the owner.
    Refused,
    /// Anything else.
    Odd,
}

impl Answer {
    pub fn of(answer: &Result<String, Problem>) -> Self {
        match answer {
            Ok(_) => Answer::Done,
            Err(Problem::NotDone { .. } | Problem::Busy { .. }) => Answer::NotDone,
            Err(Problem::Refused { .. }) => Answer::Refused,
            Err(Problem::MaybeDone { .. } | Problem::OutOfStock { .. }) => Answer::Odd,
        }
    }
}

/// A cloud: the local one, or one behind a vendor's face.
enum Place {
    Local(Arc<emulator::Cloud>),
    Vendor(Arc<Face>),
}

pub struct Ground {
    place: Place,
    hands: Box<dyn Provider>,
    runtime: Runtime,
    /// What the last look showed, while nothing has happened since.
    seen: RefCell<Option<World>>,
}

/// The wire between a vendor's client and its face: every request arrives, and is answered.
struct Straight(Arc<Face>);

#[async_trait]
impl Wire for Straight {
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, Broken> {
        let mut head = hyper::Request::builder().method(request.method()).uri(request.url().as_str());
        for (name, value) in request.headers() {
            head = head.header(name, value);
        }
        let head = head.body(()).unwrap().into_parts().0;
        let body = request.body().and_then(|it| it.as_bytes()).unwrap_or_default();
        let (response, _) = exchange(&self.0, &head, body);
        response.map(Into::into).ok_or_else(|| Broken::Lost("no answer".to_owned()))
    }
}

impl Place {
    fn cloud(&self) -> &emulator::Cloud {
        match self {
            Place::Local(cloud) => cloud,
            Place::Vendor(face) => face.cloud(),
        }
    }

    /// The real hands for a wish.
    fn hands(&self, ask: &Ask) -> Box<dyn Provider> {
        let face = match self {
            Place::Local(cloud) => return Box::new(Local::over(cloud.clone(), ask.spec.provider.local.as_ref().unwrap())),
            Place::Vendor(face) => face,
        };
        let (wire, keys) = (Arc::new(Straight(face.clone())), std::slice::from_ref(&ask.key));
        let found = "a trace".to_owned();
        let seed = Box::new(|| {
            Ok(FirstBoot { document: Secret::new("#cloud-config\n"), authorized: Some(KEY.to_owned()), fingerprint: "0".repeat(40) })
        });
        match &ask.spec.provider.scaleway {
            Some(spec) => {
                let (key, url) = (Secret::new("5ec2e700-0000-4000-8000-5ec2e75ec2e7"), "https://api.scaleway.test".to_owned());
                let account = scaleway::Account { key, found, url, project: None, zone: None };
                let zone = Zone::over(wire, account, ask.spec.placement().zone, keys, None, 1.0).unwrap();
                Box::new(Scaleway::new(Arc::new(zone), &spec.project_id.clone().unwrap(), ask, seed, 1.0))
            }
            None => {
                let (token, url) = (Secret::new("t0ken"), "https://api.linode.test".to_owned());
                let account = linode::Account { token, found, url, version: "v4".to_owned() };
                let estate = Estate::over(wire, account, keys, &[], 1.0).unwrap();
                Box::new(Linode::new(Arc::new(estate), ask, seed, 1.0))
            }
        }
    }
}

/// What the guest is given for its first boot.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOqXT5TQhGxO1u0xJ3yCNnQhX3NQmGmRfYdQw4b2vZxT";

impl Ground {
    /// A new, empty cloud of a wish's kind, with the hands for that wish.
    pub fn new(ask: &Ask, can: &Capabilities) -> Self {
        let imitate = if can.root_outlives_server { Imitate::Volumes } else { Imitate::LocalDisks };
        let settings = Settings { imitate, clock: Clock::Manual };
        let market = match can.provider {
            "scaleway" => Market::Scaleway,
            "linode" => Market::Linode,
            _ => Market::Local,
        };
        let cloud = emulator::Cloud::in_memory(settings, market, 1).unwrap();
        let place = match market {
            Market::Local => Place::Local(Arc::new(cloud)),
            _ => Place::Vendor(Arc::new(Face::new(cloud, None).unwrap())),
        };
        let hands = place.hands(ask);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        Self { place, hands, runtime, seen: RefCell::default() }
    }

    /// Takes up another wish.
    pub fn serve(&mut self, ask: &Ask) {
        self.hands = self.place.hands(ask);
        self.seen.take();
    }

    fn cloud(&self) -> &emulator::Cloud {
        self.place.cloud()
    }

    /// Everything it holds, past all eyes.
    pub fn truth(&self) -> Truth {
        self.cloud().truth().unwrap()
    }

    /// A look through the real hands.
    pub fn look(&self, ask: &Ask) -> World {
        self.seen.borrow_mut().get_or_insert_with(|| self.runtime.block_on(self.hands.observe(&ask.key))).clone()
    }

    /// The cloud, to be changed.
    fn touch(&self) -> &emulator::Cloud {
        self.seen.take();
        self.place.cloud()
    }

    pub fn now(&self) -> Moment {
        self.cloud().now().unwrap()
    }

    /// When the next thing happens by itself.
    pub fn next_due(&self) -> Option<Moment> {
        self.cloud().next_due().unwrap()
    }

    /// Moves the clock to a moment, and lets happen what is due by then.
    pub fn wait_until(&self, moment: Moment) {
        let micros = moment.0.saturating_sub(self.now().0).max(0);
        self.touch().advance(Duration::from_micros(micros.unsigned_abs())).unwrap();
    }

    pub fn perform(&self, step: &Step) -> Answer {
        self.seen.take();
        Answer::of(&self.runtime.block_on(self.hands.perform(step)))
    }

    /// Carries out an order that nobody planned: with the real hands where a proof for it can be had from a look, and else
    /// as somebody does who needs none. At a vendor's, nobody does.
    pub fn carry_out(&self, order: &Order, world: &World) -> Option<Answer> {
        match (step_of(order, world), &self.place) {
            (Some(step), _) => Some(self.perform(&step)),
            (None, Place::Local(_)) => Some(self.carry_out_unproven(order)),
            (None, Place::Vendor(_)) => None,
        }
    }

    fn carry_out_unproven(&self, order: &Order) -> Answer {
        let cloud = self.touch();
        let done = match order {
            Order::Snapshot(volume, tags) => cloud.snapshot_volume(volume.as_str(), "copy", tags.0.clone()).map(drop),
            Order::Capture(server, tags) => cloud.capture_image(server.as_str(), "copy", tags.0.clone()).map(drop),
            Order::DeleteVolume(id) => there_or_gone(cloud.delete_volume(id.as_str())),
            Order::DeleteCopy(id) => match self.truth().images.contains_key(id) {
                true => cloud.delete_image(id),
                false => there_or_gone(cloud.delete_snapshot(id)),
            },
            _ => panic!("there is a step for {order:?}"),
        };
        match done {
            Ok(()) => Answer::Done,
            Err(refusal) if refusal.kind == RefusalKind::Conflict => Answer::NotDone,
            Err(refusal) if matches!(refusal.kind, RefusalKind::NotFound | RefusalKind::Invalid) => Answer::Refused,
            Err(_) => Answer::Odd,
        }
    }

    pub fn guest_shuts_down(&self, server: &str) {
        self.touch().guest_shutdown(server).unwrap();
    }

    pub fn protect(&self, server: &str) {
        self.touch().protect(server, true).unwrap();
    }

    /// Has a copy in the making fail.
    pub fn fail(&self, copy: &str) {
        self.touch().condemn(copy).unwrap();
    }
}

fn there_or_gone(answer: Result<(), emulator::Refusal>) -> Result<(), emulator::Refusal> {
    answer.or_else(|refusal| if refusal.kind == RefusalKind::NotFound { Ok(()) } else { Err(refusal) })
}

/// An order as a step, with the proofs that a look gives for it.
fn step_of(order: &Order, world: &World) -> Option<Step> {
    let let_go = || Word::delete_command(&Deletion { keep_snapshots: false });
    Some(match order.clone() {
        Order::ReserveAddress(tags) => Step::ReserveAddress { tags },
        Order::CreateFirewall(name, tags) => Step::CreateFirewall { name, tags },
        Order::SetRules(firewall, rules) => Step::SetRules { firewall, rules },
        Order::ShutFirewall(id) => Step::ShutFirewall(id),
        Order::CreateVolume(new) => Step::CreateVolume(new),
        Order::CreateServer(new) => Step::CreateServer(new),
        Order::Retag(object, tags, name) => Step::Retag { object, tags, name },
        Order::Seed(id) => Step::SeedServer(id),
        Order::Watchdog(server, on) => Step::SetWatchdog { server, on },
        Order::Start(id) => Step::StartServer(id),
        Order::Stop(id) => Step::StopServer(id),
        Order::Detach(server, volumes) => Step::Detach { server, volumes },
        Order::Attach(server, volume, role) => Step::Attach { server, volume, role },
        Order::AssignAddress(server, address) => Step::AssignAddress { server, address },
        Order::AssignFirewall(server, firewall) => Step::AssignFirewall { server, firewall },
        Order::Grow(volume, size_gb) => Step::Grow { volume, size_gb },
        Order::Tune(volume, iops) => Step::Tune { volume, iops },
        Order::SetRecord(address) => Step::SetRecord { address },
        Order::DeleteRecord => Step::DeleteRecord { addresses: Vec::new() },
        Order::ChangeType(server, machine_type) => Step::ChangeType { server, machine_type },
        Order::Configure(server, recipe) => Step::Configure { server, recipe, over: None },
        Order::StartUp(server) => Step::StartUp(server),
        Order::Snapshot(volume, tags) => {
            Step::TakeSnapshot { disk: Quiet::<Volume>::volume(world, &volume)?, name: "copy".to_owned(), tags }
        }
        Order::Capture(server, tags) => Step::CaptureImage { disk: Quiet::local(world, &server)?, name: "copy".to_owned(), tags },
        Order::DeleteServer(server, off) => Step::DeleteServer { server, dying: Vec::new(), off },
        Order::DeleteVolume(id) => Step::DeleteVolume(Spared::<Volume>::let_go(world, &id, let_go()?)?),
        Order::DeleteCopy(id) => match world.snapshots.items().iter().find(|it| it.id.as_str() == id) {
            Some(found) => Step::DeleteSnapshot(Expendable::<cloudypad::model::Snapshot>::let_go(found, let_go()?)?),
            None => {
                let found = world.images.items().iter().find(|it| it.id == Id::new(id.as_str()))?;
                Step::DeleteImage(Expendable::<cloudypad::model::Image>::let_go(found, let_go()?)?)
            }
        },
        Order::ReleaseAddress(id) => Step::ReleaseAddress(id),
        Order::DeleteFirewall(id) => Step::DeleteFirewall(id),
    })
}
