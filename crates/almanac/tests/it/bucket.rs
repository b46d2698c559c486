//! moto's server, which speaks S3, from the virtual environment of the program that `ALMANAC_TEST_DVC` names.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Says who asks, unproved: moto lets nobody else write over what is there.
const WHO: &str = "Authorization: AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// The server, ended with the test.
pub(crate) struct S3 {
    pub(crate) url: String,
    child: Child,
}

impl S3 {
    /// Starts it, or prints why the test is skipped.
    pub(crate) fn start() -> Option<Self> {
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
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split("http://").nth(1).map(|rest| format!("http://{}", rest.trim())));
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { url: url.expect("it says where it listens"), child })
    }

    /// The body of what is at a path.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{WHO}\r\n\r\n").expect("taken");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        answer.split_off(end + 4)
    }

    /// Makes a bucket (`/name`) or an object (`/name/key`).
    #[track_caller]
    pub(crate) fn put(&self, path: &str, body: &[u8]) {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("it listens");
        let head = format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n{WHO}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("taken");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answered");
        assert!(text.contains(" 200 "), "{text}");
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
