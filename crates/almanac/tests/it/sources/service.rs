//! A service of this machine that pages, and fails now and then.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
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
