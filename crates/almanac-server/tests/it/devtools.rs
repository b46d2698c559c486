//! A headless Chromium, driven over its own DevTools protocol: just what the browser tests need.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// Longest wait for anything in the browser.
const PATIENCE: Duration = Duration::from_secs(20);

/// One page of a browser that ends with it.
pub(crate) struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    next_id: u64,
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium; `None` where there is none.
    pub(crate) fn start() -> Option<Self> {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let started = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"])
            .args(["--hide-scrollbars", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.ok()?;
        let mut errors = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(errors.read_line(&mut line).expect("text") > 0, "chromium ended before it listened");
            if let Some(address) = line.trim().strip_prefix("DevTools listening on ws://") {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        let host = address.split('/').next().expect("a host");
        let stream = TcpStream::connect(host).expect("chromium listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout above zero");
        let (socket, _) = tungstenite::client(format!("ws://{address}"), stream).expect("a DevTools socket");
        let mut browser = Self { child, socket, session: String::new(), next_id: 0, _profile: profile };
        let target = browser.send("Target.createTarget", json!({"url": "about:blank"}));
        let attached = browser.send("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        attached["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser.send("Page.enable", json!({}));
        browser.send("Runtime.enable", json!({}));
        Some(browser)
    }

    /// Sends one command and returns its result; events in between are passed over.
    pub(crate) fn send(&mut self, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let mut message = json!({"id": self.next_id, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(message.to_string())).expect("sent");
        loop {
            let Message::Text(text) = self.socket.read().expect("chromium answers") else { continue };
            let mut answer: Value = serde_json::from_str(&text).expect("json");
            if answer["id"] == self.next_id {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
        }
    }

    pub(crate) fn open(&mut self, url: &str) {
        self.send("Page.navigate", json!({"url": url}));
        // The elements are there before the style sheet is: what is measured before that is another page.
        self.wait_for("document.readyState === 'complete'");
    }

    /// Evaluates an expression, waiting for it if it is a promise.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut result = self.send("Runtime.evaluate", parameters);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].take()
    }

    /// Waits until an expression is true, looking at every animation frame.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let started = Instant::now();
        loop {
            let probe = format!(
                "new Promise((done) => {{ const end = performance.now() + 2000; const look = () => {{ let is; \
                 try {{ is = Boolean({expression}); }} catch {{ is = false; }} \
                 if (is || performance.now() > end) done(is); else requestAnimationFrame(look); }}; look(); }})"
            );
            // A navigation under way destroys the context of the probe: ask the next one.
            let result = self.send_lenient("Runtime.evaluate", json!({"expression": probe, "returnByValue": true, "awaitPromise": true}));
            if result["result"]["value"] == true {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "never true: {expression}\n{}", self.eval("document.body.innerText"));
        }
    }

    fn send_lenient(&mut self, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let message = json!({"id": self.next_id, "method": method, "params": parameters, "sessionId": self.session});
        self.socket.send(Message::text(message.to_string())).expect("sent");
        loop {
            let Message::Text(text) = self.socket.read().expect("chromium answers") else { continue };
            let mut answer: Value = serde_json::from_str(&text).expect("json");
            if answer["id"] == self.next_id {
                return answer["result"].take();
            }
        }
    }

    /// Types into what has the focus, as a keyboard would.
    pub(crate) fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            self.send("Input.dispatchKeyEvent", json!({"type": "keyDown", "text": letter, "key": letter}));
            self.send("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": letter}));
        }
    }

    /// Presses a key without text, by its name and Windows code.
    pub(crate) fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            self.send("Input.dispatchKeyEvent", json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}));
        }
    }

    /// Clicks the middle of an element.
    pub(crate) fn click(&mut self, selector: &str) {
        let (x, y) = self.middle(selector);
        for kind in ["mousePressed", "mouseReleased"] {
            self.send("Input.dispatchMouseEvent", json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}));
        }
    }

    pub(crate) fn middle(&mut self, selector: &str) -> (f64, f64) {
        let rect = self.eval(&format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        ));
        (rect[0].as_f64().expect("an element"), rect[1].as_f64().expect("an element"))
    }

    pub(crate) fn hover(&mut self, x: f64, y: f64) {
        self.send("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": x, "y": y}));
    }

    /// Sets the window and the colour scheme.
    pub(crate) fn look(&mut self, width: u32, height: u32, is_dark: bool) {
        let is_mobile = width < 600;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_mobile});
        self.send("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if is_dark { "dark" } else { "light" };
        self.send("Emulation.setEmulatedMedia", json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}));
    }

    /// Lets downloads go to a folder.
    pub(crate) fn download_to(&mut self, folder: &Path) {
        self.send("Browser.setDownloadBehavior", json!({"behavior": "allow", "downloadPath": folder}));
    }

    /// Returns what the window shows, or the whole page, as PNG.
    pub(crate) fn screenshot(&mut self, is_whole_page: bool) -> Vec<u8> {
        let parameters = json!({"format": "png", "captureBeyondViewport": is_whole_page});
        self.send("Page.captureScreenshot", parameters)["data"].as_str().map(from_base64).expect("an image")
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let Some(value) = ALPHABET.iter().position(|known| *known == letter) else { break };
        held = (held << 6 | value as u32) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Best effort: the process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
