//! A real port: it is told when it is taken, and a stop lets requests under way finish.

use crate::fake::{FakeService, Gate};
use almanac_series::Hint;
use almanac_server::{ForecastService, Services, bind, serve};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Sends a request over a connection of its own and returns the whole answer.
async fn exchange(address: SocketAddr, request: String) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    answer
}

#[tokio::test]
async fn a_port_in_use_is_an_error_with_a_hint() {
    let taken = bind(ANY_PORT).await.expect("a free port");
    let service: Arc<dyn ForecastService> = Arc::new(FakeService::default());
    let error = serve(Services::forecasts(service), taken.address(), std::future::pending()).await.expect_err("it is taken");
    assert_eq!(error.to_string(), format!("failed to listen on `{}`: the address is in use", taken.address()));
    let next = taken.address().port() + 1;
    assert_eq!(error.hint(), Some(format!("stop what listens there, or choose another port: `--listen 127.0.0.1:{next}`")));
}

#[tokio::test]
async fn an_address_of_another_machine_is_an_error_with_a_hint() {
    let error = bind("192.0.2.1:8080".parse().expect("valid")).await.expect_err("a documentation address");
    assert!(error.hint().expect("a hint").contains("127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_finishes_after_the_stop() {
    let (open, opened) = mpsc::channel();
    let gate = Arc::new(Gate { begun: Notify::new(), open: Mutex::new(opened) });
    let service = FakeService { gate: Some(Arc::clone(&gate)), ..FakeService::default() };
    let listening = bind(ANY_PORT).await.expect("a free port");
    let address = listening.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(listening.serve(Services::forecasts(Arc::new(service)), async {
        // A test that ends early drops the sender, which stops the server as well.
        let _ = stopped.await;
    }));

    let body = r#"{"series":[{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}]}],"horizon":1}"#;
    let head = format!("POST /api/v1/predict HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer = tokio::spawn(exchange(address, head + body));
    gate.begun.notified().await;
    stop.send(()).expect("the server waits for it");
    open.send(()).expect("the call waits for it");

    let answer = answer.await.expect("no panic");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("\"unique_id\":\"a\""), "{answer}");
    server.await.expect("no panic").expect("a stop in order");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
