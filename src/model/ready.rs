//! Whether somebody can play: a server is ready when the port that players come to answers, not when it runs.

use super::spec::{Configuration, PortPreset, Ports, ReadyPort, Spec};
use core::fmt;

/// Sunshine's port of first contact, over TCP; the other ports follow from it.
pub const STREAMING_PORT: u16 = 47989;

/// What came of asking whether a server is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The server's public address.
    pub address: String,
    /// The TCP port that was asked.
    pub port: u16,
    /// What came back.
    pub answer: Answer,
    /// What the owner can do where it is not ready.
    pub remedy: String,
}

/// What comes back from a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Somebody takes connections.
    Open,
    /// The machine is there, and nobody listens at the port.
    Refused,
    /// Nothing comes back.
    Silent,
    /// No way leads there, with what this machine says.
    Unreachable(String),
}

impl Answer {
    /// A word for tools.
    pub fn code(&self) -> &'static str {
        match self {
            Answer::Open => "Open",
            Answer::Refused => "Refused",
            Answer::Silent => "Silent",
            Answer::Unreachable(_) => "Unreachable",
        }
    }
}

impl Readiness {
    /// Whether somebody can play.
    pub fn is_ready(&self) -> bool {
        self.answer == Answer::Open
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, port, .. } = self;
        match &self.answer {
            Answer::Open => write!(f, "{address} answers on port {port}"),
            Answer::Refused => write!(f, "{address} refuses port {port}: the machine runs, and nothing listens there"),
            Answer::Silent => write!(f, "{address} is silent on port {port}: nothing comes back"),
            Answer::Unreachable(why) => write!(f, "{address} cannot be reached on port {port}: {why}"),
        }
    }
}

impl Spec {
    /// The TCP port that answers once a machine of this spec is ready; none where nothing shows it.
    pub fn ready_port(&self) -> Option<u16> {
        let Configuration::Recipe(recipe) = &self.configuration else { return None };
        // Nothing but SSH leads into a machine of the local cloud.
        if self.provider.local.is_some() {
            return None;
        }
        match recipe.ready_port {
            Some(ReadyPort::Port(port)) => Some(port),
            Some(ReadyPort::None(_)) => None,
            None => (self.network.ports == Ports::Preset(PortPreset::Sunshine)).then_some(STREAMING_PORT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ServerState,
        spec::{Local, NoReadyPort, ProviderSpec, Recipe},
    };

    fn gaming(provider: ProviderSpec, ports: Ports, ready_port: Option<ReadyPort>) -> Spec {
        let mut spec = Spec::undeclared(ServerState::Present, provider);
        spec.network.ports = ports;
        let recipe = Recipe { script: Some("setup.sh".to_owned()), ready_port, ..Recipe::default() };
        spec.configuration = Configuration::Recipe(Box::new(recipe));
        spec
    }

    #[test]
    fn only_who_answers_is_ready_and_everybody_else_is_told_apart() {
        let asked = |answer| Readiness { address: "203.0.113.7".to_owned(), port: 47989, answer, remedy: String::new() };
        let answers = [Answer::Open, Answer::Refused, Answer::Silent, Answer::Unreachable("no route".to_owned())].map(asked);
        let told = answers.each_ref().map(|it| (it.answer.code(), it.is_ready(), it.to_string()));
        let text = |it: &str| it.to_owned();
        assert_eq!(told[0], ("Open", true, text("203.0.113.7 answers on port 47989")));
        assert_eq!(told[1], ("Refused", false, text("203.0.113.7 refuses port 47989: the machine runs, and nothing listens there")));
        assert_eq!(told[2], ("Silent", false, text("203.0.113.7 is silent on port 47989: nothing comes back")));
        assert_eq!(told[3], ("Unreachable", false, text("203.0.113.7 cannot be reached on port 47989: no route")));
    }

    #[test]
    fn what_streams_is_ready_when_its_port_answers() {
        let far = || serde_json::from_str::<ProviderSpec>(r#"{"scaleway": {"instanceType": "L4-1-24G"}}"#).unwrap();
        let near = || ProviderSpec { local: Some(Local::default()), ..ProviderSpec::default() };
        let few = || Ports::List(vec!["22/tcp".to_owned(), "8000-9000/tcp".to_owned()]);
        let port = |provider, ports, said| gaming(provider, ports, said).ready_port();
        assert_eq!(port(far(), Ports::default(), None), Some(STREAMING_PORT));
        assert_eq!(port(far(), few(), None), None, "whatever it is, it does not stream");
        assert_eq!(port(far(), few(), Some(ReadyPort::Port(8443))), Some(8443));
        assert_eq!(port(far(), Ports::default(), Some(ReadyPort::None(NoReadyPort::None))), None);
        assert_eq!(port(near(), Ports::default(), None), None);
        assert_eq!(Spec::undeclared(ServerState::Present, far()).ready_port(), None, "nothing is configured, so nothing streams");
        assert!(few().let_in("tcp", 8443) && !few().let_in("udp", 8443) && !few().let_in("tcp", 9001));
    }
}
