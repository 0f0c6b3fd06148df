//! Stories of disks, volumes and images, from the request to the answer.

use std::fs;
use std::os::unix::fs::FileExt;

use serde_json::{Value, json};

use super::garden::Garden;

#[test]
fn what_is_captured_comes_back_and_a_volume_outlives_its_linode() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    let url = format!("/linode/instances/{linode}");
    let volume = garden.post("/volumes", json!({"label": "pad-data", "region": "us-east", "size": 20}));
    assert_eq!((&volume["status"], &volume["io_ready"]), (&json!("creating"), &json!(false)));
    let volume = format!("/volumes/{}", volume["id"]);
    let attached = garden.post(&format!("{volume}/attach"), json!({"linode_id": linode}));
    assert_eq!(
        (&attached["status"], &attached["linode_id"], &attached["linode_label"]),
        (&json!("creating"), &json!(linode), &json!("pad-1"))
    );
    assert_eq!(garden.get(&format!("{url}/configs"))["data"][0]["devices"]["sdc"]["volume_id"], attached["id"]);
    garden.calm();
    assert_eq!(garden.get(&volume)["io_ready"], false, "no guest runs");
    garden.post(&format!("{url}/boot"), json!({}));
    garden.calm();
    assert_eq!((garden.get(&volume)["io_ready"].clone(), garden.get(&volume)["status"].clone()), (json!(true), json!("active")));
    assert_eq!(garden.reason("DELETE", &volume, Value::Null), "Volume must be detached before it can be deleted.");

    let root = garden.root(linode);
    let path = garden.get(&format!("/_emulator/disks/{root}"))["path"].as_str().unwrap().to_owned();
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(b"installed", 1 << 20).unwrap();
    garden.post(&format!("{url}/shutdown"), json!({}));
    garden.calm();

    let image = garden.post("/images", json!({"disk_id": root, "label": "base", "tags": ["b-tag", "a-tag"]}));
    assert_eq!((&image["status"], &image["size"], &image["regions"]), (&json!("creating"), &json!(10_000), &json!([])));
    assert_eq!(image["tags"], json!(["a-tag", "b-tag"]));
    let image = image["id"].as_str().unwrap().to_owned();
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), "Linode busy.");
    let mut percents = Vec::new();
    for _ in 0..14 {
        garden.advance(10);
        percents.push(garden.event("disk_imagize")["percent_complete"].as_u64().unwrap());
    }
    assert!(percents.windows(2).any(|pair| pair[0] > 80 && pair[1] == 0), "{percents:?}");
    let number: u64 = image.strip_prefix("private/").unwrap().parse().unwrap();
    assert_eq!(garden.event("disk_imagize")["secondary_entity"]["id"], json!(number));
    assert_eq!(garden.event("disk_imagize")["entity"]["id"], json!(linode));
    garden.calm();
    let image = garden.get(&format!("/images/{image}"));
    assert_eq!((&image["status"], &image["size"]), (&json!("available"), &json!(1778)));
    assert_eq!(image["regions"][0]["region"], "us-east");

    garden.delete(&url);
    assert_eq!(garden.status(linode), "deleting");
    let again = json!({"label": "pad-1", "region": "us-east", "type": "g6-standard-2"});
    assert_eq!(garden.reason("POST", "/linode/instances", again), "Label must be unique among your linodes");
    garden.calm();
    assert_eq!(garden.send("GET", &url, Value::Null).0, 404);
    assert_eq!(garden.event("linode_delete")["status"], "finished");
    assert_eq!(garden.get(&volume)["linode_id"], Value::Null);
    assert_eq!(garden.losses(), json!([]));

    let linode = garden.linode("pad-1", json!({"image": image["id"], "kernel": "linode/grub2"}));
    garden.calm();
    let path = garden.get(&format!("/_emulator/disks/{}", garden.root(linode)))["path"].as_str().unwrap().to_owned();
    let mut bytes = [0; 9];
    fs::File::open(path).unwrap().read_exact_at(&mut bytes, 1 << 20).unwrap();
    assert_eq!(&bytes, b"installed");
    garden.delete(&volume);
}

#[test]
fn the_last_copy_of_a_root_disk_is_a_loss() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    garden.calm();
    garden.delete(&format!("/linode/instances/{linode}"));
    garden.calm();
    assert_eq!(garden.losses().as_array().unwrap().len(), 1, "the root disk, and not the swap disk");
    let linode = garden.linode("pad-2", json!({"booted": true}));
    garden.calm();
    garden.post(&format!("/linode/instances/{linode}/rebuild"), json!({"image": "linode/debian12", "root_pass": "aVeryLong-Password1"}));
    assert_eq!(garden.status(linode), "rebuilding");
    assert_eq!(garden.losses().as_array().unwrap().len(), 2);
    garden.calm();
    assert_eq!(garden.status(linode), "running");
    assert_eq!(garden.get("/_emulator/truth")["linode"]["disks"].as_object().unwrap().len(), 2);
}

#[test]
fn too_large_a_capture_fails_as_an_event_and_a_missing_image() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    garden.calm();
    let root = garden.root(linode);
    garden.post("/_emulator/fill", json!({"disk": root, "mb": 5000}));
    let image = garden.post("/images", json!({"disk_id": root, "label": "base"}))["id"].as_str().unwrap().to_owned();
    garden.advance(80);
    assert_eq!(garden.get(&format!("/images/{image}"))["status"], "creating");
    garden.calm();
    let event = garden.event("disk_imagize");
    assert_eq!(event["status"], "failed");
    assert!(event["message"].as_str().unwrap().contains("6778 MB"), "{event}");
    assert_eq!(garden.send("GET", &format!("/images/{image}"), Value::Null).0, 404);

    garden.post("/_emulator/settings", json!({"image_limit_mb": 8000}));
    garden.post("/_emulator/settings", json!({"image_lag": 20}));
    let image = garden.post("/images", json!({"disk_id": root, "label": "base"}))["id"].as_str().unwrap().to_owned();
    garden.advance(150);
    assert_eq!(
        (&garden.event("disk_imagize")["status"], &garden.get(&format!("/images/{image}"))["status"]),
        (&json!("finished"), &json!("creating"))
    );
    garden.calm();
    assert_eq!(garden.get(&format!("/images/{image}"))["size"], 6778);

    garden.post("/_emulator/faults", json!({"operation": "POST /images", "what": "in-vain"}));
    let image = garden.post("/images", json!({"disk_id": root, "label": "base"}))["id"].as_str().unwrap().to_owned();
    garden.calm();
    assert_eq!(garden.send("GET", &format!("/images/{image}"), Value::Null).0, 404);

    let image = garden.post("/images", json!({"disk_id": root, "label": "base"}))["id"].as_str().unwrap().to_owned();
    garden.advance(10);
    garden.delete(&format!("/linode/instances/{linode}"));
    assert_eq!(garden.send("GET", &format!("/images/{image}"), Value::Null).0, 404, "a capture dies with its Linode");
    garden.calm();
    assert_eq!(garden.get("/_emulator/inventory")["lines"].as_array().unwrap().len(), 1, "the image that was captured");
}

#[test]
fn disks_are_made_hidden_shown_and_deleted_one_at_a_time() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    let url = format!("/linode/instances/{linode}/disks");
    garden.calm();
    let disk = garden.post(&url, json!({"label": "more", "size": 2000}));
    assert_eq!((&disk["status"], &disk["filesystem"]), (&json!("not ready"), &json!("ext4")));
    let one = format!("{url}/{}", disk["id"]);
    assert_eq!(garden.reason("POST", &url, json!({"label": "other", "size": 500})), "Linode busy.");
    assert_eq!(garden.get(&url)["results"], 3);
    garden.advance(3);
    assert_eq!((garden.get(&url)["results"].clone(), garden.send("GET", &one, Value::Null).0), (json!(2), 404));
    garden.calm();
    assert_eq!(garden.get(&one)["status"], "ready");
    garden.post(&format!("{one}/resize"), json!({"size": 4000}));
    garden.calm();
    assert_eq!((garden.get(&one)["size"].clone(), garden.event("disk_resize")["status"].clone()), (json!(4000), json!("finished")));
    assert_eq!(
        garden.reason("POST", &url, json!({"label": "huge", "size": 80_000})),
        "Insufficient space on this Linode for a disk of that size."
    );
    garden.post(&format!("/linode/instances/{linode}/boot"), json!({}));
    garden.calm();
    garden.post(&format!("{one}/resize"), json!({"size": 5000}));
    garden.calm();
    assert_eq!((garden.get(&one)["size"].clone(), garden.event("disk_resize")["status"].clone()), (json!(4000), json!("failed")));
    garden.delete(&one);
    garden.advance(2);
    assert_eq!(garden.get(&one)["status"], "deleting");
    garden.calm();
    assert_eq!(garden.send("GET", &one, Value::Null).0, 404);
}

#[test]
fn volumes_grow_copy_and_part() {
    let garden = Garden::new();
    let volume = garden.post("/volumes", json!({"label": "one", "region": "us-east", "size": 15, "tags": ["abc"]}));
    let url = format!("/volumes/{}", volume["id"]);
    assert_eq!(garden.send("POST", &format!("{url}/clone"), json!({"label": "two"})).0, 400, "it is not there yet");
    garden.calm();
    let grown = garden.post(&format!("{url}/resize"), json!({"size": 25}));
    assert_eq!((&grown["status"], &grown["size"]), (&json!("resizing"), &json!(25)));
    garden.calm();
    assert_eq!(garden.reason("POST", &format!("{url}/resize"), json!({"size": 20})), "Volumes can only be resized up.");
    let copy = garden.post(&format!("{url}/clone"), json!({"label": "two"}));
    assert_eq!((&copy["size"], &copy["tags"], &copy["linode_id"]), (&json!(25), &json!([]), &Value::Null));
    assert!(garden.reason("POST", &format!("{url}/clone"), json!({"label": "two"})).contains("unique"));
    let linode = garden.linode("pad-1", json!({"booted": true}));
    garden.calm();
    garden.post(&format!("{url}/attach"), json!({"linode_id": linode}));
    assert_eq!(garden.get(&url)["io_ready"], false);
    garden.calm();
    assert_eq!(garden.get(&url)["io_ready"], true);
    assert_eq!(garden.event("volume_attach")["status"], "finished");
    garden.post(&format!("{url}/detach"), Value::Null);
    assert_eq!((garden.get(&url)["io_ready"].clone(), garden.get(&url)["linode_id"].clone()), (json!(false), json!(linode)));
    garden.calm();
    assert_eq!((garden.get(&url)["linode_id"].clone(), garden.event("volume_detach")["status"].clone()), (Value::Null, json!("finished")));
    assert_eq!(garden.get(&format!("/linode/instances/{linode}/configs"))["data"][0]["devices"]["sdc"], Value::Null);
}

#[test]
fn a_copy_of_a_linode_has_its_disks() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    garden.calm();
    let copy = garden.post(&format!("/linode/instances/{linode}/clone"), json!({"region": "us-east", "type": "g6-standard-2"}));
    assert_eq!((copy["status"].clone(), copy["label"].clone()), (json!("offline"), json!(format!("linode{}", copy["id"]))));
    let url = format!("/linode/instances/{}", copy["id"]);
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), "Linode busy.");
    assert_eq!(garden.reason("DELETE", &format!("/linode/instances/{linode}"), Value::Null), "Linode busy.");
    garden.calm();
    assert_eq!(garden.event("linode_clone")["duration"], json!(110.0));
    assert_eq!(garden.get(&format!("{url}/disks"))["data"][0]["status"], "ready");
    garden.post(&format!("{url}/boot"), json!({}));
}

#[test]
fn an_old_linode_leaves_a_recovery_image_for_a_week() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    garden.advance(13 * 3600);
    garden.delete(&format!("/linode/instances/{linode}"));
    garden.calm();
    let image = garden.get("/images")["data"][0].clone();
    assert_eq!((&image["type"], &image["label"]), (&json!("automatic"), &json!("Recovery - pad-1")));
    assert_eq!(garden.losses().as_array().unwrap().len(), 1, "nobody may count on it");
    garden.advance(8 * 86_400);
    assert_ne!(garden.get("/images")["data"][0]["type"], "automatic");
}

#[test]
fn a_volume_is_free_once_its_linode_is_gone() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    let volume = garden.post("/volumes", json!({"label": "pad-data", "linode_id": linode}));
    let url = format!("/volumes/{}", volume["id"]);
    garden.calm();
    garden.delete(&format!("/linode/instances/{linode}"));
    assert_eq!(garden.reason("POST", &format!("{url}/detach"), Value::Null), "The Linode is being deleted.");
    garden.advance(9);
    assert_eq!(garden.get(&url)["linode_id"], Value::Null);
    garden.delete(&url);
}

#[test]
fn an_image_arrives_and_is_copied_to_other_regions() {
    let garden = Garden::new();
    let upload = garden.post("/images/upload", json!({"region": "us-ord", "label": "mine", "cloud_init": true}));
    assert_eq!((&upload["image"]["status"], &upload["image"]["size"]), (&json!("pending_upload"), &json!(0)));
    let url = format!("/images/{}", upload["image"]["id"].as_str().unwrap());
    let regions = |image: &Value| {
        let rows = image["regions"].as_array().unwrap();
        rows.iter().map(|row| (row["region"].as_str().unwrap().to_owned(), row["status"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    let pair = |region: &str, status: &str| (region.to_owned(), status.to_owned());
    assert_eq!(garden.send("POST", &format!("{url}/regions"), json!({"regions": ["us-east"]})).0, 400);
    garden.calm();
    assert_eq!(regions(&garden.get(&url)), [pair("us-ord", "available")]);
    let copied = garden.post(&format!("{url}/regions"), json!({"regions": ["us-ord", "us-east"]}));
    assert_eq!(regions(&copied), [pair("us-ord", "available"), pair("us-east", "pending replication")]);
    assert_eq!(copied["total_size"], 2);
    garden.calm();
    assert_eq!(regions(&garden.get(&url))[1], pair("us-east", "available"));
    assert_eq!(garden.reason("POST", &format!("{url}/regions"), json!({"regions": ["mars"]})), "region is not valid");
    assert_eq!(garden.event("image_upload")["status"], "finished");
}
