//! A service of this machine that pages, and fails now and then; and one that speaks S3.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// `/sales?offset=…&limit=…` gives rows below `/data/items`, `/sales.csv` a file.
pub(crate) struct Service {
    pub(crate) url: String,
    failures: Arc<AtomicU32>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    pub(crate) fn start(rows: Vec<String>, file: Vec<u8>) -> Self {
        Self::start_with(rows, file, None)
    }

    /// As [`Self::start`]; says once that the request of that number came, and leaves it without an answer.
    pub(crate) fn start_silent_at(rows: Vec<String>, request: u32) -> (Self, Receiver<()>) {
        let (sender, receiver) = channel();
        (Self::start_with(rows, Vec::new(), Some((request, sender))), receiver)
    }

    fn start_with(rows: Vec<String>, file: Vec<u8>, silent: Option<(u32, Sender<()>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (failures, is_over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let (failed, over) = (failures.clone(), is_over.clone());
        let thread = std::thread::spawn(move || {
            let mut requests = 0_u32;
            let mut unanswered = Vec::new();
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                requests += 1;
                if let Some((at, sender)) = &silent
                    && *at == requests
                {
                    unanswered.push(stream);
                    let _ = sender.send(());
                    continue;
                }
                // A client that hangs up is its own affair.
                let _ = answer(stream, &rows, &file, requests, &failed);
            }
        });
        Self { url, failures, is_over, thread: Some(thread) }
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the one who waits.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream, rows: &[String], file: &[u8], request: u32, failures: &AtomicU32) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let number = |name: &str, usual: usize| {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))?.parse().ok()).unwrap_or(usual)
    };
    let body = if path.starts_with("/sales.csv") {
        file.to_vec()
    } else {
        let (from, limit) = (number("offset", 0), number("limit", 50));
        let some = rows.iter().skip(from).take(limit).cloned().collect::<Vec<_>>().join(",");
        format!("{{\"data\": {{\"items\": [{some}]}}}}").into_bytes()
    };
    let head = |status: &str, length: usize| format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    failures.fetch_add(u32::from(matches!(request % 5, 1 | 3)), Ordering::Relaxed);
    match request % 5 {
        1 => stream.write_all(head("503 Service Unavailable\r\nRetry-After: 0", 0).as_bytes()),
        // Cut off in the middle.
        3 => {
            stream.write_all(head("200 OK", body.len()).as_bytes())?;
            stream.write_all(&body[..body.len() / 2])
        }
        _ => {
            stream.write_all(head("200 OK", body.len()).as_bytes())?;
            stream.write_all(&body)
        }
    }
}

/// moto's server.
pub(crate) struct S3 {
    pub(crate) url: String,
    child: Child,
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn s3() -> Option<S3> {
    let beside = std::env::var("ALMANAC_TEST_DVC").ok().and_then(|dvc| Some(Path::new(&dvc).parent()?.join("python")));
    let Some(program) = beside.filter(|program| program.is_file()) else {
        println!("skipped: `ALMANAC_TEST_DVC` leads to no server that speaks S3");
        return None;
    };
    let mut child = Command::new(program)
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let url =
        lines.by_ref().map_while(Result::ok).find_map(|line| line.split("http://").nth(1).map(|rest| format!("http://{}", rest.trim())));
    std::thread::spawn(move || lines.for_each(drop));
    Some(S3 { url: url.expect("it says where it listens"), child })
}

/// moto looks whether a request is signed, not how.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=testing/20250101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

impl S3 {
    /// The body of what is at a path.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {SIGNED}\r\nConnection: close\r\n\r\n").expect("taken");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        answer.split_off(end + 4)
    }

    pub(crate) fn put(&self, path: &str, body: &[u8]) {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("it listens");
        let head = format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("taken");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answered");
        assert!(text.contains(" 200 "), "{text}");
    }
}
