//! Every byte of the disks comes back.

use crate::support::shop::{Shop, pad, pad_like_linode, read_at, write_at};

/// Ten archives in a row, different bytes each time, at both ends of both disks.
#[test]
fn ten_archives_in_a_row_keep_every_byte() {
    let shop = Shop::new();
    shop.apply("present");
    for round in 0..10u8 {
        let mark = format!("round {round}: a save game").into_bytes();
        let places = [0, 4096 * u64::from(round) + 512, 29_999_000_000];
        let (root, data) = shop.disk_files();
        for place in places {
            write_at(&root, place, &mark);
            write_at(&data, place, &mark);
        }
        shop.apply("absent");
        assert!(!root.exists() && !data.exists(), "the disks are gone while archived");
        shop.apply("present");
        let (root, data) = shop.disk_files();
        for place in places {
            assert_eq!(read_at(&root, place, mark.len()), mark, "root, round {round}, at {place}");
            assert_eq!(read_at(&data, place, mark.len()), mark, "data, round {round}, at {place}");
        }
    }
    let ledger = shop.cloud().ledger().unwrap();
    assert_eq!(ledger.losses, [], "no byte's last copy was destroyed");
}

/// With `reuse` the root disk comes back as it was captured, the plan says so beforehand, and the data
/// disk still keeps everything.
#[test]
fn reuse_brings_back_the_captured_root_and_says_so() {
    let shop = Shop::new();
    let spec = |state: &str| pad(state, "").replace("    enable: true\n  dataDisk", "    enable: true\n    onStop: reuse\n  dataDisk");
    shop.write("pad.yaml", &spec("present"));
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    let (root, data) = shop.disk_files();
    let captured = read_at(&root, 0, 64);
    write_at(&root, 0, b"written after the capture");
    write_at(&data, 0, b"a save game");

    shop.write("pad.yaml", &spec("absent"));
    let plan = shop.expect(0, &["plan", "pad.yaml"]);
    assert!(plan.out.contains("will be lost: what changed on the root disk since its capture (onStop: reuse)"), "{}", plan.out);
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    shop.write("pad.yaml", &spec("present"));
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);

    let (root, data) = shop.disk_files();
    assert_eq!(read_at(&root, 0, 64), captured);
    assert_eq!(read_at(&data, 0, 11), b"a save game");
    let losses = shop.cloud().ledger().unwrap().losses;
    assert!(losses.iter().all(|it| it.tags.contains(&"role:root".to_owned())), "only the root was let go: {losses:?}");
}

/// On the Linode kind of cloud the root comes back from an image, and the volume stays throughout.
#[test]
fn the_linode_kind_of_cloud_keeps_every_byte_too() {
    let shop = Shop::new();
    let apply = |state: &str| {
        shop.write("pad.yaml", &pad_like_linode(state));
        shop.expect(0, &["apply", "pad.yaml", "--yes"])
    };
    apply("present");
    for round in 0..3 {
        let mark = format!("round {round}").into_bytes();
        let described = shop.describe();
        let root = described["servers"][0]["root"]["file"].as_str().unwrap().to_owned();
        let data = described["volumes"][0]["file"].as_str().unwrap().to_owned();
        write_at(root.as_ref(), 4096, &mark);
        write_at(data.as_ref(), 4096, &mark);
        apply("absent");
        assert!(std::path::Path::new(&data).exists(), "a volume of this cloud has no snapshot, and stays");
        apply("present");
        let described = shop.describe();
        let root = described["servers"][0]["root"]["file"].as_str().unwrap().to_owned();
        assert_eq!(read_at(root.as_ref(), 4096, mark.len()), mark);
        assert_eq!(read_at(data.as_ref(), 4096, mark.len()), mark);
    }
    assert_eq!(shop.linode_cloud().ledger().unwrap().losses, []);
}
