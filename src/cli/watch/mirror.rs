//! What a watch shows of itself over HTTP: each look, each run, and what becomes of orders.

use crate::{
    cli::{
        Failure,
        args::{Output, Watch},
        complain,
        describe::{all_copies, copy_status, role, volume_status},
        hands::Case,
        print,
    },
    model::{Event, Facts, Role, Root, Tags, World},
    plan::forecast,
    report::{LastRun, PlanView, conditions, plan_json, standing, wished},
    run::billed,
    watch::{Door, HookCheck, Hub, Object, Order, PlannedAct, Row, Rules, Switch, Token},
};
use std::{cell::Cell, fs, sync::Arc};
use tokio::sync::{mpsc, watch};

/// So many orders may wait until they are heard.
const MOST_ORDERS: usize = 64;

/// Opens the door, where one is asked for: what is shown there, and what is ordered.
pub(super) async fn open(
    args: &Watch,
    hook: Option<HookCheck>,
    stop: watch::Receiver<bool>,
) -> Result<(Option<Arc<Hub>>, mpsc::Receiver<Order>), Failure> {
    let (sender, orders) = mpsc::channel(MOST_ORDERS);
    let Some(at) = args.listen else { return Ok((None, orders)) };
    let hub = Arc::new(Hub::new());
    let rules = Rules { token: token(args)?, orders: Some(sender), hook, ..Rules::default() };
    let door = Door::open(at, Arc::clone(&hub), rules).await?;
    let told = format!("the page is at http://{}/", door.address());
    if args.output == Output::Text {
        print(&format!("{told}\n"));
    } else {
        complain(&told);
    }
    let mut stop = stop;
    tokio::spawn(door.serve(async move { drop(stop.wait_for(|it| *it).await) }));
    Ok((Some(hub), orders))
}

fn token(args: &Watch) -> Result<Option<Token>, Failure> {
    let (text, from) = match (&args.token_file, std::env::var("CLOUDYPAD_TOKEN")) {
        (Some(file), _) => {
            let text = fs::read_to_string(file).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
            (text.lines().next().unwrap_or_default().to_owned(), file.display().to_string())
        }
        (None, Ok(text)) if !text.is_empty() => (text, "CLOUDYPAD_TOKEN".to_owned()),
        (None, _) => return Ok(None),
    };
    Token::new(&text).map(Some).map_err(|weak| Failure::new(format!("{from}: {weak}")))
}

/// One run, as it is shown; nothing where nobody may look.
pub(super) struct Showing<'a> {
    hub: Option<&'a Hub>,
    why: &'static str,
    has_begun: Cell<bool>,
}

impl<'a> Showing<'a> {
    /// A run that begins now.
    pub fn new(hub: Option<&'a Hub>, case: &Case) -> Self {
        Self { hub, why: case.why().reason(), has_begun: Cell::new(false) }
    }

    /// Shows a look, and what is planned from it.
    pub fn show(&self, case: &Case, world: &World, facts: &Facts) {
        let Some(hub) = self.hub else { return };
        let (key, cloud) = (&case.ask.key, case.provider.capabilities());
        let forecast = forecast(&case.ask, world, facts, cloud);
        let view = PlanView { ask: &case.ask, world, forecast: &forecast, cloud, place: &case.place };
        let is_first = !self.has_begun.replace(true);
        // What a run that has begun finds undone is its own doing.
        let last = if is_first || view.is_in_sync() { LastRun::Over } else { LastRun::UnderWay };
        let row = Row {
            place: case.place.clone(),
            commit: case.commit.clone(),
            wished: wished(case.ask.wished(), case.ask.deletion.is_some()).to_owned(),
            standing: standing(world),
            conditions: conditions(&view, None, last).into(),
            switch: view.upcoming().map(|it| Switch { at: it.at.timestamp(), to: wished(it.to, false).to_owned() }),
            plan: plan_json(&view),
            desired: serde_json::to_value(&*case.ask.spec).unwrap_or_default(),
            observed: objects(world),
            billed: billed(world, cloud),
        };
        hub.saw(key, &row);
        if is_first {
            hub.began(key, &case.chronicle.run(), self.why, PlannedAct::all(&forecast, cloud.speed));
        }
    }

    /// Tells what happens.
    pub fn tell(&self, case: &Case, event: &Event) {
        if let Some(hub) = self.hub {
            hub.event(&case.ask.key, &case.chronicle.run(), event);
        }
    }

    /// Tells that it could not go on.
    pub fn fail(&self, case: &Case, why: &str) {
        if let Some(hub) = self.hub {
            hub.failed(&case.ask.key, &case.chronicle.run(), why);
        }
    }
}

fn objects(world: &World) -> Vec<Object> {
    let object = |kind: String, id: &str, size: String, standing: String, tags: &Tags| Object {
        kind,
        id: id.to_owned(),
        size,
        standing,
        tags: tags.0.to_vec(),
    };
    let servers = world.servers.items().iter().map(|it| {
        let size = match &it.root {
            Root::Local { size_gb } => format!("{}, root disk {size_gb} GB", it.machine_type),
            _ => it.machine_type.clone(),
        };
        object("server".to_owned(), it.id.as_str(), size, it.power.to_string(), &it.tags)
    });
    let volumes = world.volumes.items().iter().map(|it| {
        let kind = format!("{} disk", role(world, &it.tags, it.id.as_str()).unwrap_or("other"));
        object(kind, it.id.as_str(), format!("{} GB", it.size_gb), volume_status(&it.status).to_owned(), &it.tags)
    });
    let copies = all_copies(world).into_iter().map(|it| {
        let kind = format!("{} snapshot", it.tags().role().map_or("other", Role::word));
        object(kind, it.id(), format!("{} GB", it.size_gb()), copy_status(it.status()).to_owned(), it.tags())
    });
    let addresses = world.addresses.items();
    let addresses = addresses.iter().map(|it| object("address".to_owned(), it.id.as_str(), it.address.clone(), String::new(), &it.tags));
    let firewalls = world.firewalls.items().iter();
    let firewalls =
        firewalls.map(|it| object("firewall".to_owned(), it.id.as_str(), format!("{} rules", it.rules.len()), String::new(), &it.tags));
    servers.chain(volumes).chain(copies).chain(addresses).chain(firewalls).collect()
}
