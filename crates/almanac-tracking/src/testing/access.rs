//! Tokens and users.

use crate::{ErrorCode, Millis, NewAccessToken, Role, TrackingStore};

const MINUTE: i64 = 60_000;

fn new(name: &str, role: Role, expires: Option<i64>) -> NewAccessToken {
    NewAccessToken { name: name.to_owned(), role, expires: expires.map(Millis) }
}

pub(super) fn access(store: &TrackingStore) {
    tokens_work_until_they_are_revoked_or_expire(store);
    a_renewed_token_has_another_text(store);
    users_are_known_by_their_password(store);
}

fn tokens_work_until_they_are_revoked_or_expire(store: &TrackingStore) {
    let now = Millis(1_000);
    let (token, secret) = store.create_access_token(&new("suite-ci", Role::Engineer, None), now).expect("made");
    assert!(store.has_access(now).expect("reads"));
    assert!(!format!("{secret:?}").contains(secret.expose()), "its text is not in a log");
    let twice = store.create_access_token(&new("suite-ci", Role::Viewer, None), now).expect_err("the name is taken");
    assert_eq!(twice.code(), Some(ErrorCode::ResourceAlreadyExists));
    let bad = store.create_access_token(&new("a:b", Role::Viewer, None), now).expect_err("a name with a colon");
    assert_eq!(bad.code(), Some(ErrorCode::InvalidParameterValue));

    let found = store.check_access_token(secret.expose(), now).expect("reads").expect("works");
    assert_eq!((found.id.as_str(), found.role), (token.id.as_str(), Role::Engineer));
    let used = |store: &TrackingStore| {
        let all = store.access_tokens().expect("reads");
        all.into_iter().find(|other| other.id == token.id).expect("listed").last_used
    };
    assert_eq!(used(store), Some(now));
    store.check_access_token(secret.expose(), Millis(1_000 + MINUTE)).expect("reads").expect("works");
    assert_eq!(used(store), Some(now), "noted every five minutes only");
    store.check_access_token(secret.expose(), Millis(1_000 + 6 * MINUTE)).expect("reads").expect("works");
    assert_eq!(used(store), Some(Millis(1_000 + 6 * MINUTE)));

    let mut wrong = secret.expose().to_owned();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    for other in [wrong.as_str(), "", "alm_", "' OR 1=1 --"] {
        assert_eq!(store.check_access_token(other, now).expect("reads"), None, "`{other}`");
    }

    store.revoke_access_token("suite-ci", now).expect("revoked");
    assert_eq!(store.check_access_token(secret.expose(), now).expect("reads"), None);
    let again = store.revoke_access_token(&token.id, now).expect_err("revoked already");
    assert_eq!(again.code(), Some(ErrorCode::ResourceDoesNotExist));
    let (_, other) = store.create_access_token(&new("suite-ci", Role::Viewer, Some(5_000)), now).expect("the name is free again");
    assert!(store.check_access_token(other.expose(), Millis(4_999)).expect("reads").is_some());
    assert_eq!(store.check_access_token(other.expose(), Millis(5_000)).expect("reads"), None, "it has expired");
    assert!(store.create_access_token(&new("suite-old", Role::Viewer, Some(1_000)), now).is_err(), "it never worked");
}

fn a_renewed_token_has_another_text(store: &TrackingStore) {
    let now = Millis(2_000);
    let (token, before) = store.create_access_token(&new("suite-rotating", Role::Planner, None), now).expect("made");
    let (renewed, after) = store.rotate_access_token("suite-rotating", Some(Millis(9_000)), now).expect("renewed");
    assert_eq!((&renewed.id, renewed.role, renewed.expires), (&token.id, Role::Planner, Some(Millis(9_000))));
    assert_eq!(store.check_access_token(before.expose(), now).expect("reads"), None);
    assert_eq!(store.check_access_token(after.expose(), now).expect("reads").map(|found| found.id), Some(token.id));
    assert!(store.rotate_access_token("suite-nobody", None, now).is_err());
}

fn users_are_known_by_their_password(store: &TrackingStore) {
    let now = Millis(3_000);
    let password = "correct horse battery";
    let short = store.create_access_user("suite-anna", Role::Viewer, "short", now).expect_err("a short password");
    assert_eq!(short.code(), Some(ErrorCode::InvalidParameterValue));
    store.create_access_user("suite-anna", Role::Viewer, password, now).expect("made");
    let twice = store.create_access_user("suite-anna", Role::Admin, password, now).expect_err("the name is taken");
    assert_eq!(twice.code(), Some(ErrorCode::ResourceAlreadyExists));

    let check = |name: &str, password: &str| store.check_access_password(name, password, None, now).expect("reads");
    let (user, proof) = check("suite-anna", password).expect("right");
    assert_eq!((user.name.as_str(), user.role), ("suite-anna", Role::Viewer));
    assert!(check("suite-anna", "wrong horse battery").is_none() && check("suite-anna", "").is_none());
    assert!(check("suite-nobody", password).is_none() && check("SUITE-ANNA", password).is_none());

    store.set_access_role("suite-anna", Role::Planner).expect("changed");
    let known = store.check_access_password("suite-anna", password, Some(&proof), now).expect("reads").expect("still right");
    assert_eq!(known.0.role, Role::Planner);
    store.set_access_password("suite-anna", "another horse battery").expect("changed");
    let stale = store.check_access_password("suite-anna", password, Some(&proof), now).expect("reads");
    assert!(stale.is_none(), "the earlier password is wrong now, whatever it was found right against");
    store.delete_access_user("suite-anna").expect("deleted");
    assert!(check("suite-anna", "another horse battery").is_none());
    assert!(store.delete_access_user("suite-anna").is_err() && store.set_access_role("suite-anna", Role::Admin).is_err());
}
