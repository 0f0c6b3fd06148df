//! `/networking/firewalls/templates`: rules to begin with.

use serde_json::{Value, json};

use super::listing::page;
use super::problem::not_found;
use crate::emulator::face::route::look;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 2] = [look("/networking/firewalls/templates", list_all), look("/networking/firewalls/templates/{id}", get)];

/// What there are templates for.
const SLUGS: [&str; 2] = ["public", "vpc"];

fn shown(slug: &str) -> Value {
    let everyone = json!({"ipv4": ["0.0.0.0/0"], "ipv6": ["::/0"]});
    let mut inbound = vec![
        json!({"protocol": "TCP", "ports": "22", "addresses": everyone, "action": "ACCEPT", "label": "accept-inbound-ssh", "description": "Accept inbound SSH"}),
        json!({"protocol": "ICMP", "addresses": everyone, "action": "ACCEPT", "label": "accept-inbound-icmp", "description": "Accept inbound ICMP"}),
    ];
    if slug == "vpc" {
        let own = json!({"ipv4": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]});
        inbound.extend(["TCP", "UDP"].map(|protocol| {
            let label = format!("accept-inbound-vpc-{}", protocol.to_lowercase());
            json!({"protocol": protocol, "addresses": own, "action": "ACCEPT", "label": label, "description": "Accept traffic of the VPC"})
        }));
    }
    let rules = json!({"inbound": inbound, "inbound_policy": "DROP", "outbound": [], "outbound_policy": "ACCEPT"});
    json!({"slug": slug, "rules": rules})
}

fn list_all(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    page(args.request, SLUGS.into_iter().map(shown).collect(), 1)
}

fn get(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    SLUGS.into_iter().find(|slug| *slug == args.id).map(|slug| Answer::ok(shown(slug))).ok_or_else(not_found)
}
