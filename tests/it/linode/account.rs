//! Whose account: where the token is found, and that it is told nowhere.

use crate::support::{
    face::Face,
    linode::{LINODE, TOKEN, pad},
    shop::{Ran, Shop},
};

/// A plan with the emulator as its cloud, and no token but what `more` says.
fn plan(face: &Face, shop: &Shop, more: &[(&str, &str)]) -> Ran {
    let mut command = shop.command(&["plan", "pad.yaml", "-v"]);
    command.env("LINODE_URL", face.url()).env("CLOUDYPAD_CLOUD_SPEED", "2000").env("HOME", shop.path("me"));
    command.envs(more.iter().copied());
    Ran::from(command.output().unwrap())
}

fn in_profile(name: &str) -> String {
    pad("present", "").replace("      region:", &format!("      credentials: {{profile: {name}}}\n      region:"))
}

#[test]
fn the_token_is_found_where_the_vendors_own_tools_keep_it() {
    let shop = Shop::new();
    let face = Face::start_demanding(&LINODE, &shop, TOKEN);
    shop.write("pad.yaml", &pad("present", ""));
    let ran = plan(&face, &shop, &[]);
    assert!(ran.code == 1 && ran.err.contains("no credentials for Linode: set LINODE_TOKEN"), "{}", ran.err);
    assert_eq!(plan(&face, &shop, &[("LINODE_TOKEN", TOKEN)]).code, 0);

    let file = format!("[DEFAULT]\ndefault-user = me\n\n[me]\ntoken = {TOKEN}\nregion = fr-par\n\n[other]\ntoken = wrong\n");
    std::fs::create_dir_all(shop.path("me/.config")).unwrap();
    std::fs::write(shop.path("me/.config/linode-cli"), &file).unwrap();
    assert_eq!(plan(&face, &shop, &[]).code, 0);
    shop.write("elsewhere", &file.replace("default-user = me", "default-user = other"));
    let named = shop.path("elsewhere").display().to_string();
    assert_eq!(plan(&face, &shop, &[("LINODE_CLI_CONFIG", &named)]).code, 3);

    // A spec that names its account means that one, whatever the environment says.
    shop.write("pad.yaml", &in_profile("me"));
    assert_eq!(plan(&face, &shop, &[("LINODE_TOKEN", "another")]).code, 0);
    shop.write("pad.yaml", &in_profile("nobody"));
    let ran = plan(&face, &shop, &[("LINODE_TOKEN", TOKEN)]);
    assert!(ran.code == 1 && ran.err.contains("no token for \"nobody\"") && ran.err.contains("it has me, other"), "{}", ran.err);
    shop.write("pad.yaml", &pad("present", "").replace("      region:", "      credentials: {env: MINE}\n      region:"));
    assert_eq!(plan(&face, &shop, &[("MINE", TOKEN)]).code, 0);
}

/// A token that is not accepted holds at once, with the place it was found at, and is told nowhere.
#[test]
fn a_token_that_is_not_accepted_holds_and_is_never_told() {
    let shop = Shop::new();
    let face = Face::start_demanding(&LINODE, &shop, TOKEN);
    shop.write("pad.yaml", &pad("present", ""));
    let ran = plan(&face, &shop, &[("LINODE_TOKEN", "0123456789wrong9876543210")]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.out.contains("held Denied") && ran.out.contains("LINODE_TOKEN") && ran.out.contains("profile/tokens"), "{}", ran.out);
    assert!(!format!("{}{}", ran.out, ran.err).contains("0123456789wrong"), "{}", ran.err);
    let good = plan(&face, &shop, &[("LINODE_TOKEN", TOKEN)]);
    assert!(!format!("{}{}", good.out, good.err).contains(TOKEN));
    for (variable, value, says) in [("LINODE_API_VERSION", "v5", "it is v4 or v4beta"), ("LINODE_URL", "ftp://x", "begin with https://")] {
        let ran = plan(&face, &shop, &[("LINODE_TOKEN", TOKEN), (variable, value)]);
        assert!(ran.code == 1 && ran.err.contains(says), "{variable}: {}", ran.err);
    }
    assert_eq!(plan(&face, &shop, &[("LINODE_TOKEN", TOKEN), ("LINODE_API_VERSION", "v4beta")]).code, 0);
}
