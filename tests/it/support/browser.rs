//! A real browser: Chromium without a window, driven through a pair of pipes.

use super::shop::Shop;
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

/// A browser with one page, which ends with the test.
pub struct Browser {
    process: Child,
    commands: File,
    answers: BufReader<File>,
    last: u64,
    session: String,
    /// What it told unasked, and nobody awaited yet.
    told: Vec<Value>,
    /// Its files.
    _shop: Shop,
}

impl Browser {
    /// Opens one; nothing, with the reason printed, where there is none.
    pub fn open() -> Option<Self> {
        let found = Command::new("sh").args(["-c", "command -v chromium"]).output().unwrap();
        if !found.status.success() {
            println!("skipped: no chromium");
            return None;
        }
        let shop = Shop::new();
        let pipes = [shop.path("commands"), shop.path("answers")];
        assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
        let mut command = Command::new("sh");
        // It takes commands at descriptor 3, and answers at 4.
        command.args(["-c", "exec chromium \"$@\" 3< commands 4> answers", "sh"]);
        command.args(["--headless=new", "--remote-debugging-pipe", "--user-data-dir=profile", "--no-first-run", "--disable-gpu"]);
        command.args(["--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-sandbox"]);
        command.args(["--disable-sync", "--disable-extensions", "--hide-scrollbars", "--force-color-profile=srgb", "about:blank"]);
        command.current_dir(shop.path("")).env("HOME", shop.path(""));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let commands = fs::OpenOptions::new().write(true).open(&pipes[0]).unwrap();
        let answers = BufReader::new(File::open(&pipes[1]).unwrap());
        let mut browser = Self { process, commands, answers, last: 0, session: String::new(), told: Vec::new(), _shop: shop };
        let target = browser.order("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.order("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.order("Page.enable", json!({}));
        Some(browser)
    }

    /// Orders something, and gives the result.
    pub fn order(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut order = json!({"id": self.last, "method": method, "params": params});
        if !self.session.is_empty() {
            order["sessionId"] = json!(self.session);
        }
        self.commands.write_all(format!("{order}\0").as_bytes()).unwrap();
        loop {
            let answer = self.hear();
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.told.push(answer);
        }
    }

    fn hear(&mut self) -> Value {
        let mut answer = Vec::new();
        self.answers.read_until(0, &mut answer).unwrap();
        assert_eq!(answer.pop(), Some(0), "the browser ended");
        serde_json::from_slice(&answer).unwrap()
    }

    fn await_told(&mut self, method: &str) {
        let is_it = |it: &Value| it["method"] == method;
        while !self.told.iter().any(is_it) {
            let told = self.hear();
            self.told.push(told);
        }
        self.told.retain(|it| !is_it(it));
    }

    /// Goes to a page, and waits until it is there.
    pub fn visit(&mut self, url: &str) {
        self.told.clear();
        self.order("Page.navigate", json!({"url": url}));
        self.await_told("Page.loadEventFired");
    }

    /// Waits until what was done led to another page.
    pub fn await_page(&mut self) {
        self.await_told("Page.loadEventFired");
    }

    /// Forgets what was told so far, before something is done that leads to another page.
    pub fn forget(&mut self) {
        self.told.clear();
    }

    /// The window, in points.
    pub fn size(&mut self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.order("Emulation.setDeviceMetricsOverride", size);
    }

    /// `dark` or `light`, as its user likes it.
    pub fn prefer(&mut self, scheme: &str) {
        self.order("Emulation.setEmulatedMedia", json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}));
    }

    pub fn switch_scripts(&mut self, are_on: bool) {
        self.order("Emulation.setScriptExecutionDisabled", json!({"value": !are_on}));
    }

    /// What a script says, promises kept.
    pub fn ask(&mut self, script: &str) -> Value {
        let asked = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.order("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until the page shows this text.
    pub fn await_text(&mut self, text: &str) {
        self.ask(&format!(
            "new Promise(done => {{ const look = () => document.body.innerText.includes({}) && (eyes.disconnect(), done(true)); \
             const eyes = new MutationObserver(look); eyes.observe(document, {{subtree: true, childList: true, characterData: true}}); look(); }})",
            json!(text)
        ));
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        let (code, text) = if key == "Tab" { (9, "") } else { (13, "\r") };
        for kind in ["keyDown", "keyUp"] {
            let typed = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": typed});
            self.order("Input.dispatchKeyEvent", event);
        }
    }

    /// Types a text where the focus is.
    pub fn write(&mut self, text: &str) {
        self.order("Input.insertText", json!({"text": text}));
    }

    /// A picture of the window, PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        use base64::Engine;
        let taken = self.order("Page.captureScreenshot", json!({"format": "png"}));
        base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
