//! Marks: the tags that make objects ours and remember facts, and what protection forbids.

use super::{draft::Draft, scene::Scene};
use crate::model::{HAD_DATA, HOST, Hold, KEEP, Object, PROTECTED, REST, Reason, Role, Step, Tags, Volume, tag_value};

/// The tags that every object of the instance carries.
pub(crate) fn common_tags(scene: &Scene<'_>) -> Tags {
    let tags = Tags::of(&scene.ask.key);
    let tags = match scene.rest {
        Some(rest) => tags.with_value(REST, &rest.value()),
        None => tags,
    };
    match &scene.ask.owner {
        Some(owner) => tags.with_value("by", owner),
        None => tags,
    }
}

/// The tags of a disk or a copy.
pub(crate) fn disk_tags(scene: &Scene<'_>, role: Role) -> Tags {
    common_tags(scene).with_value("role", role.word()).with_if(PROTECTED, scene.ask.spec.protect)
}

/// The tags of a copy of the disk with these tags and this line.
pub(crate) fn copy_tags(scene: &Scene<'_>, role: Role, disk: &Tags, line: &str) -> Tags {
    let mut tags = disk_tags(scene, role).with_value("line", line);
    if role == Role::Root {
        let server = scene.server.map(|it| &it.tags);
        let inherited = |word: &str| server.and_then(|it| it.get(word)).or(disk.get(word)).map(str::to_owned);
        // A disk is configured where it says so, or where there is nothing to configure.
        let recipe = inherited("recipe").or((scene.ask.recipe == NO_RECIPE).then(|| NO_RECIPE.to_owned()));
        if let Some(recipe) = recipe {
            tags = tags.with_value("recipe", &recipe);
        }
        // Which host key is inside.
        if let Some(host) = server.and_then(|it| it.get(HOST)) {
            tags = tags.with_value(HOST, host);
        }
        tags = tags.with_value("img", &inherited("img").unwrap_or_else(|| tag_value("img", scene.ask.spec.image(scene.cloud))));
        tags = tags
            .with_if(KEEP, scene.ask.spec.root_disk_snapshot.keep_on_deletion)
            .with_if(HAD_DATA, scene.data.is_some() || disk.has(HAD_DATA));
    }
    tags
}

/// The recipe of a server with nothing to configure.
pub(crate) const NO_RECIPE: &str = "none";

/// Names and tags the root volume that the cloud made with the server.
pub(crate) fn claim_root(draft: &mut Draft<'_>, root: &Volume) {
    let scene = &draft.scene;
    let Some(server) = scene.server else { return };
    let img = server.tags.get("img").map(str::to_owned).unwrap_or_else(|| tag_value("img", scene.ask.spec.image(scene.cloud)));
    let tags = disk_tags(scene, Role::Root).with_value("img", &img).with_if(HAD_DATA, server.tags.has(HAD_DATA));
    let name = format!("{}-root", scene.ask.key.object_name());
    let object = Object::Volume(root.id.clone());
    draft.step(Step::Retag { object, tags, name: Some(name) }, Reason::ClaimRoot);
}

/// A protected instance lets no last copy go. Here the spec decides; a tag that outlives it refuses the
/// delete command.
pub(crate) fn refuse_protected(draft: &Draft<'_>, what: &str) -> Result<(), Hold> {
    if draft.scene.ask.spec.protect {
        return Err(Hold::Protected { what: format!("{what} would be lost, and the spec says protect: true") });
    }
    Ok(())
}
