//! The endpoints held to account: a path becomes a template, or lies outside.

const TEMPLATES: &[&str] = &[
    "/instance/v1/zones/{zone}/servers",
    "/instance/v1/zones/{zone}/servers/{id}",
    "/instance/v1/zones/{zone}/servers/{id}/action",
    "/instance/v1/zones/{zone}/servers/{id}/attach-volume",
    "/instance/v1/zones/{zone}/servers/{id}/detach-volume",
    "/instance/v1/zones/{zone}/servers/{id}/private_nics",
    "/instance/v1/zones/{zone}/servers/{id}/private_nics/{id}",
    "/instance/v1/zones/{zone}/servers/{id}/user_data",
    "/instance/v1/zones/{zone}/servers/{id}/user_data/{key}",
    "/instance/v1/zones/{zone}/servers/{id}/compatible-types",
    "/instance/v1/zones/{zone}/ips",
    "/instance/v1/zones/{zone}/ips/{id}",
    "/instance/v1/zones/{zone}/security_groups",
    "/instance/v1/zones/{zone}/security_groups/{id}",
    "/instance/v1/zones/{zone}/security_groups/{id}/rules",
    "/instance/v1/zones/{zone}/security_groups/{id}/rules/{id}",
    "/instance/v1/zones/{zone}/placement_groups",
    "/instance/v1/zones/{zone}/placement_groups/{id}",
    "/instance/v1/zones/{zone}/placement_groups/{id}/servers",
    "/instance/v1/zones/{zone}/images",
    "/instance/v1/zones/{zone}/images/{id}",
    "/instance/v1/zones/{zone}/products/servers",
    "/instance/v1/zones/{zone}/products/servers/availability",
    "/instance/v1/zones/{zone}/volumes",
    "/instance/v1/zones/{zone}/volumes/{id}",
    "/instance/v1/zones/{zone}/snapshots",
    "/instance/v1/zones/{zone}/snapshots/{id}",
    "/instance/v1/zones/{zone}/snapshots/{id}/export",
    "/instance/v2alpha1/zones/{zone}/placement-groups",
    "/instance/v2alpha1/zones/{zone}/placement-groups/{id}",
    "/instance/v2alpha1/zones/{zone}/private-network-interfaces",
    "/instance/v2alpha1/zones/{zone}/private-network-interfaces/{id}",
    "/block/v1/zones/{zone}/volume-types",
    "/block/v1/zones/{zone}/volumes",
    "/block/v1/zones/{zone}/volumes/{id}",
    "/block/v1/zones/{zone}/snapshots",
    "/block/v1/zones/{zone}/snapshots/{id}",
    "/block/v1/zones/{zone}/snapshots/{id}/export-to-object-storage",
    "/block/v1/zones/{zone}/snapshots/import-from-object-storage",
    "/block/v1/zones/{zone}/snapshots/import-from-s3",
    "/marketplace/v2/local-images",
    "/marketplace/v2/local-images/{id}",
    "/marketplace/v2/images",
    "/marketplace/v2/images/{id}",
    "/marketplace/v2/versions",
    "/iam/v1alpha1/ssh-keys",
    "/iam/v1alpha1/ssh-keys/{id}",
    "/domain/v2beta1/dns-zones",
    "/domain/v2beta1/dns-zones/{name}",
    "/domain/v2beta1/dns-zones/{name}/records",
];

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
    pub fn of(method: &str, path: &str) -> Option<Route> {
        // The older version of the block API answers as the newer one does.
        let wanted = path.replacen("/block/v1alpha1/", "/block/v1/", 1);
        let segments: Vec<&str> = wanted.split('/').collect();
        let fits = |template: &&&str| {
            let parts: Vec<&str> = template.split('/').collect();
            parts.len() == segments.len() && parts.iter().zip(&segments).all(|(part, segment)| part.starts_with('{') || part == segment)
        };
        // A literal segment is more than a variable one: the template with the fewest variables wins.
        let template = TEMPLATES.iter().filter(fits).min_by_key(|template| template.matches('{').count())?;
        let template = if wanted == path { (*template).to_owned() } else { template.replacen("/block/v1/", "/block/v1alpha1/", 1) };
        Some(Route { method: method.to_owned(), template })
    }

    /// Does the template end so?
    pub fn ends(&self, tail: &str) -> bool {
        self.template.ends_with(tail)
    }

    /// Is it the list of a kind of object that others in the project may own, too?
    pub fn lists_shared_objects(&self) -> bool {
        let kinds = ["/servers", "/volumes", "/snapshots", "/ips", "/images", "/security_groups", "/ssh-keys"];
        self.method == "GET" && kinds.iter().any(|kind| self.ends(kind)) && !self.is_catalogue()
    }

    /// Is it the catalogue of server types, which grows with time?
    pub fn is_catalogue(&self) -> bool {
        self.template.contains("/products/servers")
    }

    /// The name by which faults are armed, for a call with this body.
    pub fn operation(&self, action: Option<&str>) -> String {
        let tail = action.map(|it| format!(" {it}")).unwrap_or_default();
        format!("{} {}{tail}", self.method, self.template)
    }
}
