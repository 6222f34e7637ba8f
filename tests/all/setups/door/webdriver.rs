//! A real Chromium without a window, driven through chromedriver by the `WebDriver` protocol (W3C), which is JSON by HTTP.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::http::plainly;

/// `WebDriver`'s name for an element (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A window of a browser, with a profile of its own. It ends with the test.
pub struct Browser {
    port: u16,
    session: String,
    driver: Child,
    profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one that wants this language.
    pub fn start(language: &str) -> Self {
        Self::with(language, &json!({}))
    }

    /// One that runs no scripts of pages.
    pub fn without_scripts() -> Self {
        Self::with("en", &json!({ "profile.managed_default_content_settings.javascript": 2 }))
    }

    fn with(language: &str, settings: &Value) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // Somebody else may take the port between its two looks, for IPv4 and IPv6: then it ends.
        let (driver, port, lines) = (0..10).find_map(|_| driver(profile.path())).expect("chromedriver listens");
        // Whatever else it says has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { port, session: String::new(), driver, profile };
        let mut preferences = settings.clone();
        preferences["intl.accept_languages"] = language.into();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--ignore-certificate-errors",
            "--hide-scrollbars",
            "--window-size=1280,900",
            &format!("--user-data-dir={}", browser.profile.path().join("profile").display()),
        ];
        let options = json!({ "args": arguments, "prefs": preferences, "binary": "/usr/bin/chromium" });
        let wish = json!({ "capabilities": { "alwaysMatch": { "acceptInsecureCerts": true, "goog:chromeOptions": options } } });
        let session = browser.call("POST", "/session", &wish);
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        // How long it looks for an element: a page may still be on its way.
        browser.post("/timeouts", &json!({ "implicit": 20_000 }));
        browser
    }

    /// A command; an error is a failure of the test.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n", self.port);
        let _ = write!(request, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let answer = plainly(self.port, &request);
        assert_eq!(answer.status, 200, "{method} {path} {body}: {:.300}", answer.body);
        serde_json::from_str::<Value>(&answer.body).unwrap()["value"].clone()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    fn ask(&self, path: &str) -> String {
        let value = self.call("GET", &format!("/session/{}{path}", self.session), &json!({}));
        value.as_str().unwrap_or_default().to_owned()
    }

    /// A command of the browser's own protocol.
    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    pub fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    pub fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    pub fn back(&self) {
        self.post("/back", &json!({}));
    }

    pub fn address(&self) -> String {
        self.ask("/url")
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Waits until these words are on the page.
    pub fn wait_for_words(&self, words: &str) {
        assert!(!words.contains('"'), "{words}");
        let path = format!("//body[contains(normalize-space(.), \"{words}\")]");
        self.post("/element", &json!({ "using": "xpath", "value": path }));
    }

    /// What a reader sees.
    pub fn text(&self) -> String {
        self.ask(&format!("/element/{}/text", self.element("body")))
    }

    pub fn click(&self, selector: &str) {
        self.post(&format!("/element/{}/click", self.element(selector)), &json!({}));
    }

    pub fn type_into(&self, selector: &str, text: &str) {
        self.post(&format!("/element/{}/value", self.element(selector)), &json!({ "text": text }));
    }

    /// Presses keys, by `WebDriver`'s names for them.
    pub fn press(&self, keys: &str) {
        let strokes = keys.chars().map(|key| key.to_string());
        let strokes = strokes.flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })));
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes.collect::<Vec<_>>() });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// Runs a script as the browser's own, whatever the page's policy says.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The same, for a promise.
    pub fn wait_for(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Forgets all cookies.
    pub fn forget(&self) {
        self.devtools("Network.clearBrowserCookies", &json!({}));
    }

    /// The size of the window; a narrow one is a phone's.
    pub fn size(&self, width: u32, height: u32) {
        let is_phone = width < 600;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": if is_phone { 2 } else { 1 }, "mobile": is_phone });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    pub fn dark(&self, is_dark: bool) {
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Keeps a picture of the page under `target/screenshots`.
    pub fn picture(&self, name: &str) {
        let bytes = BASE64.decode(self.ask("/screenshot").as_bytes()).unwrap();
        let folder = target().join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // The driver leaves its browser behind when it is killed. On a thread of its own, since a test that has
            // failed must not fail once more here.
            let end = || self.call("DELETE", &format!("/session/{}", self.session), &json!({}));
            let _ = std::thread::scope(|scope| scope.spawn(end).join());
        }
        let _ = Command::new("kill").arg(self.driver.id().to_string()).status();
        let _ = self.driver.wait();
    }
}

type Lines = Box<dyn Iterator<Item = String> + Send>;

/// chromedriver, its port, and what else it says.
fn driver(home: &Path) -> Option<(Child, u16, Lines)> {
    let mut driver = Command::new("chromedriver");
    driver.arg("--port=0").env("HOME", home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut driver = driver.spawn().expect("chromedriver, of Debian's package chromium-driver");
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
    let Some(port) = port else {
        let _ = driver.wait();
        return None;
    };
    Some((driver, port, Box::new(lines)))
}

/// The folder of everything that is built.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}
