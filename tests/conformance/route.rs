//! The endpoints held to account: a path becomes a template, or lies outside.

use crate::{names::MARK, vendor::Vendor};

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `GET`, `POST`, ….
    pub method: String,
    /// The path with its variable parts named.
    pub template: String,
}

impl Route {
    /// The endpoint of a call; none, if it is not held to account.
    pub fn of(vendor: &dyn Vendor, method: &str, path: &str) -> Option<Route> {
        let version = vendor.versions().iter().find(|(other, _)| path.starts_with(other));
        let wanted = version.map_or_else(|| path.to_owned(), |(other, known)| path.replacen(other, known, 1));
        let segments: Vec<&str> = wanted.split('/').collect();
        let fits = |template: &&&str| {
            let parts: Vec<&str> = template.split('/').collect();
            let fits = |(part, segment): (&&str, &&str)| match *part {
                "{number}" => segment.starts_with(MARK),
                part => part.starts_with('{') || part == *segment,
            };
            parts.len() == segments.len() && parts.iter().zip(&segments).all(fits)
        };
        // A literal segment is more than a variable one: the template with the fewest variables wins.
        let template = vendor.templates().iter().filter(fits).min_by_key(|template| template.matches('{').count())?;
        let template = version.map_or_else(|| (*template).to_owned(), |(other, known)| template.replacen(known, other, 1));
        Some(Route { method: method.to_owned(), template })
    }

    /// Does the template end so?
    pub fn ends(&self, tail: &str) -> bool {
        self.template.ends_with(tail)
    }
}
