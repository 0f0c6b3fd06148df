//! Whether a server is ready: its port is asked from here, as a player's client would ask it.

use super::pace::between_looks;
use crate::model::{Answer, Ask, Event, Pace, Power, Readiness, ServerState, World};
use std::{io::ErrorKind, time::Duration};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// For how long what was just started may take until it answers, in cloud time: a container with a display and a server in it
/// takes a minute or two.
const GIVEN: Duration = Duration::from_secs(180);
/// It is given no less, however fast the cloud.
const GIVEN_AT_LEAST: Duration = Duration::from_secs(1);
/// How long it usually takes, in cloud time.
const USUAL: Duration = Duration::from_secs(45);
/// For how long one try may be silent.
const SILENCE: Duration = Duration::from_secs(5);
/// For how long somebody who only asks is kept waiting.
const GLANCE: Duration = Duration::from_secs(1);

/// The port that shows whether a server is ready.
#[derive(Debug, Clone)]
pub struct Door {
    /// The server's public address.
    address: String,
    /// The TCP port.
    port: u16,
    /// The instance, as commands name it.
    name: String,
    /// The networks that its firewall lets in.
    allowed: Vec<String>,
}

/// The door of an instance's server, where it is to run, does, and something shows whether it is ready.
pub fn door(ask: &Ask, world: &World) -> Option<Door> {
    if ask.deletion.is_some() || ask.wished() != ServerState::Present {
        return None;
    }
    let port = ask.spec.ready_port()?;
    let server = world.servers.items().iter().find(|it| it.power == Power::Running)?;
    let address = world.address_of(server)?.to_owned();
    Some(Door { address, port, name: ask.key.to_string(), allowed: ask.spec.network.allow_from.clone() })
}

impl Door {
    /// Asks once; takes a second at most.
    pub async fn glance(&self) -> Readiness {
        self.knock(GLANCE).await
    }

    /// Asks until somebody answers, or it took too long. `None`: told to stop meanwhile.
    pub async fn wait(&self, pace: &Pace, speed: f64, mut stop: watch::Receiver<bool>, tell: &dyn Fn(Event)) -> Option<Readiness> {
        let began = Instant::now();
        let given = GIVEN.div_f64(speed.max(1.0)).max(GIVEN_AT_LEAST);
        let until = format!("{} answers on port {}", self.address, self.port);
        let mut awaited = false;
        for pause in between_looks(pace) {
            let left = given.saturating_sub(began.elapsed());
            let readiness = tokio::select! {
                readiness = self.knock(left.clamp(GLANCE, SILENCE)) => readiness,
                () = told(&mut stop) => return None,
            };
            if readiness.is_ready() {
                if awaited {
                    tell(Event::Arrived { until, took: began.elapsed() });
                }
                return Some(readiness);
            }
            if began.elapsed() >= given {
                return Some(readiness);
            }
            if !awaited {
                tell(Event::Waiting { until: until.clone(), expected: USUAL.div_f64(speed.max(1.0)) });
                awaited = true;
            }
            tokio::select! {
                () = sleep(pause.min(given.saturating_sub(began.elapsed()))) => {}
                () = told(&mut stop) => return None,
            }
        }
        None
    }

    async fn knock(&self, patience: Duration) -> Readiness {
        let answer = match timeout(patience, TcpStream::connect((self.address.as_str(), self.port))).await {
            Ok(Ok(_)) => Answer::Open,
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Answer::Refused,
            Err(_) => Answer::Silent,
            Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => Answer::Silent,
            Ok(Err(error)) => Answer::Unreachable(error.to_string()),
        };
        let remedy = self.remedy(&answer);
        Readiness { address: self.address.clone(), port: self.port, answer, remedy }
    }

    fn remedy(&self, answer: &Answer) -> String {
        let Self { name, port, .. } = self;
        let look = format!("cloudypad ssh {name} -- systemctl --failed");
        match answer {
            Answer::Open => String::new(),
            Answer::Refused => format!(
                "look what did not start: {look} (or, with the playbook of examples/gaming, journalctl -u cloudypad-sunshine); if it \
                 answers elsewhere, or nowhere, write configuration.readyPort"
            ),
            Answer::Silent | Answer::Unreachable(_) => format!(
                "see whether network.allowFrom ({}) has the address that you come from, and whether a firewall of your own lets you \
                 out to port {port}; inside: {look}",
                self.allowed.join(", ")
            ),
        }
    }
}

/// Resolves when it is told to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|it| *it).await.is_err() {
        // Nobody is left who could tell.
        std::future::pending().await
    }
}
