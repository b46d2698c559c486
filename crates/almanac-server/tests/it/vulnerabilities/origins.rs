//! Pages of other sites that call through a user's browser.

use almanac_server::{Access, GuardPolicy};
use axum::body::Body;
use axum::http::Request;

use crate::guarded::{As, Server};

const CREATE: &str = "/api/2.0/mlflow/experiments/create";

fn local() -> Server {
    Server::with(|store| {
        let listen = "127.0.0.1:5000".parse().expect("an address");
        Access::of_address(listen, GuardPolicy::Auto, &store, Vec::new(), Vec::new())
    })
}

fn from(server: &Server, host: &str, origin: Option<&str>, path: &str) -> Request<Body> {
    let (mut parts, body) = server.request(As::Nobody, "POST", path, r#"{"name":"x"}"#).into_parts();
    parts.headers.insert("host", host.parse().expect("a header"));
    if let Some(origin) = origin {
        parts.headers.insert("origin", origin.parse().expect("a header"));
    }
    Request::from_parts(parts, body)
}

/// CVE-2025-14279: a site points a name of its own at this machine.
#[tokio::test]
async fn a_name_that_is_not_this_machines_reaches_nothing() {
    let server = local();
    for host in
        ["evil.example", "evil.example:5000", "localhost.evil.example", "169.254.169.254", "0.0.0.0:5000", "localhost@evil.example", ""]
    {
        for request in [from(&server, host, None, CREATE), from(&server, host, Some(&format!("http://{host}")), CREATE)] {
            let answer = server.send(request).await;
            assert_eq!(answer.status, 403, "`{host}`: {}", answer.text);
            assert!(answer.text.contains("Invalid Host header - possible DNS rebinding attack detected"), "{}", answer.text);
        }
    }
    let (mut parts, body) = from(&server, "localhost:5000", None, CREATE).into_parts();
    parts.headers.append("host", "evil.example".parse().expect("a header"));
    assert_eq!(server.send(Request::from_parts(parts, body)).await.status, 403, "each of two names counts");
    let (mut parts, body) = from(&server, "localhost:5000", None, CREATE).into_parts();
    parts.uri = format!("http://evil.example{CREATE}").parse().expect("a URI");
    assert_eq!(server.send(Request::from_parts(parts, body)).await.status, 403, "the name in the request line counts");
    let reading = Request::get("/api/2.0/mlflow/experiments/get?experiment_id=0").header("host", "evil.example").body(Body::empty());
    assert_eq!(server.send(reading.expect("valid")).await.status, 403);
    let probe = Request::get("/health").header("host", "10.1.2.3:5000").body(Body::empty()).expect("valid");
    assert_eq!(server.send(probe).await.status, 200);
    assert_eq!(server.send(from(&server, "localhost:5000", None, CREATE)).await.status, 200);
}

/// CVE-2025-1473: forms of other sites.
#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    for server in [local(), Server::guarded()] {
        for origin in ["https://evil.example", "null", "http://localhost.evil.example:5000", "http://evil.example/localhost", "file://"] {
            for path in [CREATE, "/ajax-api/2.0/mlflow/experiments/create", "/api/v1/predict", "/v1/traces", "/api/v1/access/tokens"] {
                let answer = server.send(from(&server, "localhost:5000", Some(origin), path)).await;
                assert_eq!((answer.status.as_u16(), answer.text.as_str()), (403, "Cross-origin request blocked"), "{origin} {path}");
                assert_eq!(answer.header("access-control-allow-origin"), "");
            }
        }
    }
    let server = local();
    assert_eq!(server.send(from(&server, "localhost:5000", Some("http://localhost:5000"), CREATE)).await.status, 200);
}

/// A form can send these without asking first.
#[tokio::test]
async fn bodies_that_forms_can_send_are_not_read() {
    let server = local();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let (mut parts, body) = from(&server, "localhost:5000", None, CREATE).into_parts();
        parts.headers.insert("content-type", content_type.parse().expect("a header"));
        assert_eq!(server.send(Request::from_parts(parts, body)).await.status, 400, "`{content_type}`");
    }
}
