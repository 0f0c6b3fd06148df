//! What one vendor's recordings ask of the harness and another's do not: which endpoints count, what a name looks like, what
//! changes by itself, what may differ rightly.

use crate::{
    cloud::{Call, Cloud, Reply},
    compare::Difference,
    deviate::Deviation,
    linode::Linode,
    names::Names,
    recording::{Interaction, Recording},
    route::Route,
    scaleway::Scaleway,
};
use serde_json::Value;
use std::{collections::BTreeSet, io};

/// All of them.
pub const VENDORS: &[&dyn Vendor] = &[&Scaleway, &Linode];

/// A vendor, as far as the harness has to know.
pub trait Vendor: Sync {
    /// Its word on the emulator's command line, which is the name of its folder of recordings, too.
    fn name(&self) -> &'static str;

    /// Is this one of its paths?
    fn speaks(&self, path: &str) -> bool;

    /// The header, name and value, that carries a token.
    fn token(&self) -> &'static str;

    /// The endpoints held to account.
    fn templates(&self) -> &'static [&'static str];

    /// Versions of paths that answer as another one does, which is the one in the templates.
    fn versions(&self) -> &'static [(&'static str, &'static str)];

    /// Is it the list of a kind of object that others in the account may own, too?
    fn lists_shared_objects(&self, route: &Route) -> bool;

    /// Does the endpoint tell what the vendor offers, which grows with time?
    fn is_catalogue(&self, route: &Route) -> bool;

    /// The key of a catalogue's answer that holds its elements.
    fn catalogue_key(&self) -> &'static str;

    /// The name by which faults are armed, for a call of that endpoint with this body.
    fn operation(&self, route: &Route, body: Option<&Value>) -> String;

    /// Recordings as they are replayed.
    fn prepared(&self, recordings: Vec<Recording>) -> Vec<Recording> {
        recordings
    }

    /// A call as it goes over the wire.
    fn asked(&self, call: &Call) -> Call {
        call.clone()
    }

    /// An answer as it is compared.
    fn told(&self, reply: Reply) -> Reply {
        reply
    }

    /// Makes a fresh cloud one in which the recording can have been made.
    ///
    /// Errors: only where the cloud cannot be talked to.
    fn premise(&self, _recording: &Recording, _cloud: &mut dyn Cloud) -> io::Result<()> {
        Ok(())
    }

    /// Makes what a call names and no call of the recording made.
    ///
    /// Errors: only where the cloud cannot be talked to.
    fn stand_in(&self, _recording: &Recording, _index: usize, _cloud: &mut dyn Cloud, _names: &mut Names) -> io::Result<()> {
        Ok(())
    }

    /// Has the next call fail, where it was recorded to fail for the account's sake.
    ///
    /// Errors: only where the cloud cannot be talked to.
    fn arm(&self, interaction: &Interaction, operation: &str, cloud: &mut dyn Cloud) -> io::Result<()> {
        if interaction.status == 429 { cloud.limit(operation) } else { Ok(()) }
    }

    /// Are calls of endpoints that are not held to account made all the same, for what later calls name?
    fn performs_outside(&self) -> bool {
        false
    }

    /// What must have been sent where the recorder lost it; none, if that cannot be told.
    fn request_of(&self, recording: &Recording, index: usize, seen: &BTreeSet<String>) -> Option<Value>;

    /// Makes an object of other people's of the kind that this route lists. False, if that is not known here.
    ///
    /// Errors: only where the cloud cannot be talked to.
    fn settle(&self, cloud: &mut dyn Cloud, route: &Route, path: &str) -> io::Result<bool>;

    /// Is it an object that every account has without having made it?
    fn is_everybodys(&self, item: &Value) -> bool;

    /// The id that tells whose an element is.
    fn owner<'a>(&self, item: &'a Value) -> Option<&'a str> {
        item["id"].as_str()
    }

    /// Keys that two elements must share to be the same thing.
    fn telling(&self) -> &'static [&'static str];

    /// Has the list under this key no order of its own?
    fn is_unordered(&self, route: &Route, key: &str) -> bool;

    /// Is this element there for an instant only, by the cloud's own doing?
    fn is_of_the_cloud(&self, _item: &Value) -> bool {
        false
    }

    /// Are this object's keys values?
    fn is_table(&self, _pointer: &str, _key: &str, _tree: &Value) -> bool {
        false
    }

    /// Is the key at this place there only where its maker wrote it?
    fn is_optional(&self, _pointer: &str) -> bool {
        false
    }

    /// Does this value say nothing about the requests?
    fn is_free(&self, pointer: &str, key: &str, recorded: &Value, got: &Value) -> bool;

    /// Does an object own the address at this place?
    fn owns_address(&self, pointer: &str, key: &str) -> bool;

    /// Keys that count elements.
    fn counts(&self) -> &'static [&'static str];

    /// The headers that are compared, and whether by value.
    fn headers(&self) -> &'static [(&'static str, bool)];

    /// May these two differ so in an answer of that endpoint: by the API's age, or by chance?
    fn is_allowed(&self, interaction: &Interaction, route: &Route, difference: &Difference) -> bool;

    /// States out of which things come by themselves.
    fn passing(&self) -> &'static [&'static str];

    /// Values that change while something is on its way.
    fn changing(&self) -> &'static [&'static str];

    /// How far the one object is that an answer is about.
    fn stage(&self, tree: &Value) -> Option<(String, String)>;

    /// Does this answer show an earlier moment than the recorded one, though nothing in it is on its way?
    fn is_earlier(&self, got: &Value, recorded: &Value) -> bool;

    /// Does this answer show a later moment than the recorded one?
    fn is_later(&self, _got: &Value, _recorded: &Value) -> bool {
        false
    }

    /// Does this refusal say: not now?
    fn is_refused_for_now(&self, status: u16, body: &Value) -> bool;

    /// Is this difference a matter of seconds?
    fn is_of_instant(&self, _interaction: &Interaction, _reply: &Reply, _difference: &Difference) -> bool {
        false
    }

    /// The ways to be wrong that are tried.
    fn deviations(&self) -> &'static [Deviation];
}
