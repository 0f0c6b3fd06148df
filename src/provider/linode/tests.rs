//! What Linode says and what it is taken for.

use super::{
    client::{Client, Unread},
    look::{image_status, power, volume_status},
    names::kept_ttl,
    refusal::Refusal,
};
use crate::{
    model::{Cause, CopyStatus, Lock, Power, VolumeStatus},
    provider::{
        Problem,
        client::{Kind, Refused},
        http::{Reply, network},
    },
};
use std::time::Duration;

fn refusal(status: u16, body: &str) -> Refusal {
    Refusal::of(&Reply {
        status,
        date: None,
        total: None,
        pause: Some(Duration::from_secs(7)),
        maintenance: false,
        body: body.as_bytes().to_vec(),
    })
}

fn reason(status: u16, reason: &str, field: Option<&str>) -> Refusal {
    let field = field.map_or_else(String::new, |it| format!(r#", "field": "{it}""#));
    refusal(status, &format!(r#"{{"errors": [{{"reason": "{reason}"{field}}}]}}"#))
}

/// Every state that the API documents, or its official clients know.
#[test]
fn every_state_is_in_the_table() {
    let table = [
        ("running", Power::Running),
        ("offline", Power::Off),
        ("booting", Power::Starting),
        ("rebooting", Power::Starting),
        ("shutting_down", Power::Stopping),
        ("deleting", Power::Deleting),
        ("provisioning", Power::Busy),
        ("busy", Power::Busy),
        ("migrating", Power::Busy),
        ("rebuilding", Power::Busy),
        ("cloning", Power::Busy),
        ("restoring", Power::Busy),
        ("resizing", Power::Busy),
        ("stopped", Power::Locked(Lock::Maintenance)),
        ("billing_suspension", Power::Locked(Lock::Bill)),
        ("hibernating", Power::Unknown("hibernating".to_owned())),
    ];
    for (status, is) in table {
        assert_eq!(power(status), is, "{status}");
    }
    assert_eq!(volume_status("active", false), VolumeStatus::Available);
    assert_eq!(volume_status("active", true), VolumeStatus::InUse);
    assert_eq!(volume_status("creating", true), VolumeStatus::Creating);
    assert_eq!(volume_status("resizing", true), VolumeStatus::Busy);
    assert_eq!(volume_status("key_rotating", false), VolumeStatus::Busy);
    assert_eq!(volume_status("odd", false), VolumeStatus::Unknown("odd".to_owned()));
    assert_eq!(image_status(Some("available"), false), CopyStatus::Ready);
    assert_eq!(image_status(Some("available"), true), CopyStatus::Creating);
    assert_eq!(image_status(Some("creating"), true), CopyStatus::Creating);
    assert_eq!(image_status(Some("pending_upload"), false), CopyStatus::Creating);
    assert_eq!(image_status(None, false), CopyStatus::Unknown("without a status".to_owned()));
}

/// Refusals by what is true after them (the fact sheet's catalogue).
#[test]
fn refusals_are_told_apart() {
    let table = [
        (reason(400, "Linode busy.", None), Kind::Transient),
        // Two appliers let a volume grow at once.
        (reason(400, "Volume must be active to be resized.", None), Kind::Transient),
        (reason(400, "Label must be unique among your linodes", Some("label")), Kind::NameTaken),
        (reason(400, "Label must be unique among your Cloud Firewalls", Some("label")), Kind::NameTaken),
        (reason(400, "Account Limit reached. Please open a support ticket.", None), Kind::Quota),
        (reason(400, "Additional Reserved IPv4 addresses require technical justification.  Please contact support.", None), Kind::Quota),
        (reason(400, "Must be 10-16384", Some("size")), Kind::Invalid),
        (reason(400, "Length must be 3-50 characters", Some("label")), Kind::Invalid),
        (reason(401, "Invalid Token", None), Kind::Unauthenticated),
        (reason(403, "Unauthorized", None), Kind::Denied),
        (reason(403, "The Linode plan you chose is not currently available in the selected region.", None), Kind::OutOfStock),
        (reason(404, "Not found", None), Kind::Gone),
        (reason(429, "Too many requests", None), Kind::TooMany),
        (refusal(502, "<html><body>Bad Gateway</body></html>"), Kind::Broken),
        (refusal(400, "<html><center>nginx</center></html>"), Kind::Broken),
        (refusal(404, "<html>not here</html>"), Kind::Broken),
        (refusal(403, "<html>not you</html>"), Kind::Broken),
        (reason(400, "Volume must be detached before it can be deleted.", None), Kind::Precondition),
        (refusal(408, ""), Kind::Broken),
        (refusal(503, ""), Kind::Broken),
    ];
    for (refusal, kind) in table {
        assert_eq!(refusal.kind(), kind, "{refusal:?}");
    }
    assert!(
        matches!(reason(429, "Too many requests", None).problem(), Problem::NotDone { pause: Some(pause), .. } if pause.as_secs() == 7)
    );
    assert!(matches!(reason(400, "Linode busy.", None).problem(), Problem::Busy { .. }));
    assert!(matches!(refusal(502, "<html>").problem(), Problem::MaybeDone { .. }));
    assert!(matches!(reason(401, "Invalid Token", None).cause("LINODE_TOKEN"), Cause::Lasting { .. }));
    assert_eq!(reason(400, "Must be 10-16384", Some("size")).said(), "size: Must be 10-16384");
}

/// While the platform is maintained nobody tries again by himself.
#[test]
fn maintenance_waits_for_the_owner() {
    let reply = Reply { status: 503, date: None, total: None, pause: None, maintenance: true, body: Vec::new() };
    assert!(matches!(Refusal::of(&reply).problem(), Problem::Refused { remedy: Some(remedy), .. } if remedy.contains("status.linode.com")));
    assert!(matches!(Refusal::of(&reply).cause("x"), Cause::Maintained(_)));
}

/// What is asked for is rounded up to what a record can have: compared before that, it would differ for ever.
#[test]
fn a_ttl_is_rounded_up() {
    for (asked, kept) in [(0, 86_400), (1, 30), (30, 30), (31, 120), (60, 120), (300, 300), (86_401, 172_800), (9_999_999, 2_419_200)] {
        assert_eq!(kept_ttl(asked), kept, "{asked}");
    }
}

/// The causes of a look that failed are told with the place of the token, never with the token.
#[test]
fn a_token_is_never_told() {
    let account = super::Account {
        token: crate::provider::http::Secret::new("0123456789abcdef"),
        found: "a test".to_owned(),
        url: "http://127.0.0.1:1".to_owned(),
        version: "v4".to_owned(),
    };
    let client = Client::new(network().unwrap(), account.clone(), 1.0).unwrap();
    let cause = client.cause(&Unread::Refused(Box::new(reason(401, "Invalid Token", None))));
    assert!(!format!("{cause:?}{account:?}").contains("0123456789abcdef"));
    assert!(format!("{cause:?}").contains("a test"));
}
