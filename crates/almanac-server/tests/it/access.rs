//! Who may call: credentials as clients send them, roles, tokens over HTTP.

use almanac_server::{Access, Guard, GuardPolicy, Hosts};
use almanac_tracking::Role;
use axum::body::Body;
use axum::http::Request;

use crate::guarded::{As, PASSWORD, Server};

const GET: &str = "/api/2.0/mlflow/experiments/get?experiment_id=0";
const CREATE: &str = "/api/2.0/mlflow/experiments/create";
const TOKENS: &str = "/api/v1/access/tokens";

#[tokio::test]
async fn clients_log_in_with_a_token_or_a_name_and_a_password() {
    let server = Server::guarded();
    let token = server.token(Role::Viewer);
    for caller in [As::Bearer(token), As::Basic("viewer", token), As::Basic("anna", PASSWORD), As::Basic("anna", PASSWORD)] {
        let answer = server.call(caller, "GET", GET, "").await;
        assert_eq!(answer.status, 200, "{caller:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn wrong_credentials_are_answered_as_clients_read_it() {
    let server = Server::guarded();
    let token = server.token(Role::Admin).to_owned();
    let mut other = token.clone();
    other.replace_range(other.len() - 1.., if token.ends_with('0') { "1" } else { "0" });
    for caller in [
        As::Nobody,
        As::Bearer(""),
        As::Bearer(&other),
        As::Bearer("alm_"),
        As::Bearer(PASSWORD),
        As::Basic("viewer", &token),
        As::Basic("anna", &token),
        As::Basic("", &token),
        As::Basic("anna", "wrong horse battery"),
        As::Basic("anna", ""),
        As::Basic("nobody", PASSWORD),
        As::Basic("", ""),
    ] {
        let answer = server.call(caller, "GET", GET, "").await;
        assert_eq!(answer.status, 401, "{caller:?}: {}", answer.text);
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"almanac\"");
        assert_eq!(answer.json()["error_code"], "UNAUTHENTICATED");
    }
    let twice = server.request(As::Role(Role::Viewer), "GET", GET, "");
    let (mut parts, body) = twice.into_parts();
    parts.headers.append("authorization", format!("Bearer {token}").parse().expect("a header"));
    assert_eq!(server.send(Request::from_parts(parts, body)).await.status, 401, "two headers say nothing");
}

#[tokio::test]
async fn a_refusal_has_the_form_that_its_caller_reads() {
    let server = Server::guarded();
    let page = Request::get("/leaderboard").header("accept", "text/html").body(Body::empty()).expect("valid");
    let page = server.send(page).await;
    assert_eq!((page.status.as_u16(), page.header("www-authenticate")), (401, "Basic realm=\"almanac\""));
    assert!(page.text.contains("<html"), "{}", page.text);
    let own = server.call(As::Nobody, "GET", "/api/v1/project", "").await;
    assert_eq!((own.status.as_u16(), own.header("content-type")), (401, "application/problem+json"));
    let grpc = Request::post("/optuna.StorageService/GetTrial").header("content-type", "application/grpc").body(Body::empty());
    let grpc = server.send(grpc.expect("valid")).await;
    assert_eq!((grpc.status.as_u16(), grpc.header("grpc-status")), (200, "16"));
    assert_eq!(server.call(As::Nobody, "GET", "/health", "").await.text, "OK");
    assert_ne!(server.call(As::Nobody, "GET", "/version", "").await.status, 401);
    assert_eq!(server.call(As::Nobody, "POST", "/health", "").await.status, 401);
}

#[tokio::test]
async fn each_role_does_what_the_ones_before_it_do_and_more() {
    let server = Server::guarded();
    let tag = r#"{"experiment_id":"0","key":"k","value":"v"}"#;
    for (role, tags, creates, lists) in
        [(Role::Viewer, 403, 403, 403), (Role::Planner, 200, 403, 403), (Role::Engineer, 200, 200, 403), (Role::Admin, 200, 200, 200)]
    {
        let caller = As::Role(role);
        assert_eq!(server.call(caller, "GET", GET, "").await.status, 200);
        let set = server.call(caller, "POST", "/api/2.0/mlflow/experiments/set-experiment-tag", tag).await;
        assert_eq!(set.status, tags, "{role}: {}", set.text);
        let created = server.call(caller, "POST", CREATE, &format!(r#"{{"name":"{role}"}}"#)).await;
        assert_eq!(created.status, creates, "{role}: {}", created.text);
        assert_eq!(server.call(caller, "GET", TOKENS, "").await.status, lists, "{role}");
    }
    let refused = server.call(As::Role(Role::Viewer), "POST", CREATE, r#"{"name":"x"}"#).await;
    assert_eq!(refused.json()["error_code"], "PERMISSION_DENIED");
    assert!(refused.json()["message"].as_str().is_some_and(|text| text.contains("`engineer`")), "{}", refused.text);
}

#[tokio::test]
async fn the_history_of_an_alias_says_who_moved_it() {
    let server = Server::guarded();
    let engineer = As::Role(Role::Engineer);
    for (path, body) in [
        ("/api/2.0/mlflow/registered-models/create", r#"{"name":"m"}"#),
        ("/api/2.0/mlflow/model-versions/create", r#"{"name":"m","source":"s3://bucket/m"}"#),
        ("/api/2.0/mlflow/registered-models/alias", r#"{"name":"m","alias":"fresh","version":"1"}"#),
    ] {
        assert_eq!(server.call(As::Role(Role::Planner), "POST", path, body).await.status, 403, "{path}");
        let answer = server.call(engineer, "POST", path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let moves = server.call(As::Role(Role::Viewer), "GET", "/api/v1/registry/models/m/moves", "").await;
    assert_eq!(moves.json()["moves"][0]["actor"], "engineer", "{}", moves.text);
    let refused = server.call(As::Role(Role::Planner), "PUT", "/api/v1/registry/models/m/aliases/fresh", r#"{"version":"1"}"#).await;
    assert_eq!(refused.json()["error_code"], "PERMISSION_DENIED");
}

#[tokio::test]
async fn an_admin_makes_and_revokes_tokens() {
    let server = Server::guarded();
    let admin = As::Role(Role::Admin);
    let made = server.call(admin, "POST", TOKENS, r#"{"name":"ci","role":"engineer","expires_in_days":30}"#).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (token, id) = (made.json()["token"].clone(), made.json()["info"]["id"].clone());
    let token = token.as_str().expect("text");
    assert_eq!(server.call(As::Bearer(token), "POST", CREATE, r#"{"name":"by ci"}"#).await.status, 200);

    let list = server.call(admin, "GET", TOKENS, "").await;
    assert!(!list.text.contains(token), "its text is shown once");
    let listed = list.json()["items"].as_array().expect("a list").iter().find(|item| item["id"] == id).cloned().expect("listed");
    assert_eq!((&listed["name"], &listed["role"]), (&"ci".into(), &"engineer".into()));
    assert!(listed["expires"].is_string() && listed["last_used"].is_string(), "{listed}");

    let again = server.call(admin, "POST", TOKENS, r#"{"name":"ci","role":"viewer"}"#).await;
    assert_eq!((again.status.as_u16(), again.header("content-type")), (409, "application/problem+json"));
    let revoked = server.call(admin, "DELETE", &format!("{TOKENS}/ci"), "").await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    assert_eq!(server.call(As::Bearer(token), "GET", GET, "").await.status, 401, "it stops at once");
    assert_eq!(server.call(admin, "DELETE", &format!("{TOKENS}/ci"), "").await.status, 404);
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"name":"x"}"#,
        r#"{"name":"x","role":"root"}"#,
        r#"{"name":"a b","role":"viewer"}"#,
        r#"{"name":"x","role":"viewer","expires_in_days":0}"#,
        r#"{"name":"x","role":"viewer","admin":true}"#,
    ] {
        assert_eq!(server.call(admin, "POST", TOKENS, bad).await.status, 400, "`{bad}`");
    }
}

#[tokio::test]
async fn an_open_server_makes_no_tokens() {
    let server = Server::open();
    assert_eq!(server.call(As::Nobody, "POST", CREATE, r#"{"name":"x"}"#).await.status, 200);
    let answer = server.call(As::Nobody, "POST", TOKENS, r#"{"name":"x","role":"admin"}"#).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (403, "application/problem+json"));
}

#[tokio::test]
async fn after_ten_wrong_passwords_an_address_waits() {
    let server = Server::guarded();
    let anna = As::Basic("anna", PASSWORD);
    assert_eq!(server.call(anna, "GET", GET, "").await.status, 200);
    for guess in 0..10 {
        assert_eq!(server.call(As::Basic("root", &format!("guess {guess} of many")), "GET", GET, "").await.status, 401);
    }
    let blocked = server.call(As::Basic("root", "one more guess of many"), "GET", GET, "").await;
    assert_eq!(blocked.status, 429, "{}", blocked.text);
    assert!(blocked.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=61).contains(&seconds)));
    assert_eq!(blocked.json()["error_code"], "REQUEST_LIMIT_EXCEEDED");
    assert_eq!(server.call(anna, "GET", GET, "").await.status, 200, "who was known already stays in");
    assert_eq!(server.call(As::Role(Role::Viewer), "GET", GET, "").await.status, 200, "a token works meanwhile");
}

#[tokio::test]
async fn pages_of_an_allowed_origin_may_call() {
    let server = Server::with(|store| Access {
        guard: Guard::Guarded(store),
        origins: vec!["https://notebooks.example".to_owned()],
        ..Access::default()
    });
    let preflight = |origin: &str| {
        let request = Request::options(CREATE).header("host", "almanac.example").header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .body(Body::empty())
            .expect("valid")
    };
    let allowed = server.send(preflight("https://notebooks.example")).await;
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-origin"), "https://notebooks.example");
    assert_eq!(allowed.header("access-control-allow-headers"), "authorization,content-type");
    let other = server.send(preflight("https://evil.example")).await;
    assert_eq!((other.status.as_u16(), other.header("access-control-allow-origin")), (204, ""));
    let (mut parts, body) = server.request(As::Role(Role::Engineer), "POST", CREATE, r#"{"name":"x"}"#).into_parts();
    parts.headers.insert("origin", "https://notebooks.example".parse().expect("a header"));
    let answer = server.send(Request::from_parts(parts, body)).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, "https://notebooks.example"));
}

#[tokio::test]
async fn callers_say_who_they_are_on_every_address_but_a_loopback_one() {
    let store = Server::open().store;
    let of = |listen: &str, policy| Access::of_address(listen.parse().expect("an address"), policy, &store, Vec::new(), Vec::new());
    for local in ["127.0.0.1:5000", "127.8.0.1:0", "[::1]:5000", "[::ffff:127.0.0.1]:1"] {
        assert!(!of(local, GuardPolicy::Auto).is_guarded(), "{local}");
        assert!(of(local, GuardPolicy::Always).is_guarded(), "{local}");
    }
    for other in ["0.0.0.0:5000", "[::]:5000", "192.168.1.2:5000", "[2001:db8::1]:80"] {
        assert!(of(other, GuardPolicy::Auto).is_guarded(), "{other}");
        let open = of(other, GuardPolicy::Never);
        assert!(!open.is_guarded() && open.hosts != Hosts::Any, "{other}");
    }
}
