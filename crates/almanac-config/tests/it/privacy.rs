//! `[privacy]`: what may be said, and what is refused before anything is read.

use almanac_config::{KeyPlace, PersonalPolicy};
use almanac_series::Hint;

use crate::{MINIMAL, read};

/// Message and hint of a file that is wrong.
#[track_caller]
fn wrong(more: &str) -> String {
    let error = read(&format!("{MINIMAL}{more}\n")).expect_err("wrong configuration");
    format!("{error}\n{}", error.hint().unwrap_or_default())
}

#[test]
fn columns_with_and_without_a_table_and_the_place_of_the_key() {
    let more = "[privacy]\nkey = \"${env:SHOP_KEY}\"\nsubject = \"customer_id\"\n[privacy.personal]\n\"customers.email\" = \"hash\"\nname = \"drop\"\n";
    let privacy = read(&format!("{MINIMAL}{more}")).expect("valid").privacy;
    assert_eq!(privacy.personal["customers.email"], PersonalPolicy::Hash);
    assert_eq!(privacy.personal["name"], PersonalPolicy::Drop);
    assert_eq!(privacy.key, Some(KeyPlace::Environment("SHOP_KEY".into())));
    assert_eq!(privacy.subject, ["customer_id"]);
    let inline = "[privacy]\nkey_file = \"privacy.key\"\npersonal = { email = \"mask\" }\n";
    assert_eq!(read(&format!("{MINIMAL}{inline}")).expect("valid").privacy.key, Some(KeyPlace::File("privacy.key".into())));
}

#[test]
fn a_key_in_the_file_itself_is_refused_and_not_quoted() {
    let said = wrong("[privacy]\nkey = \"0123456789abcdef0123456789abcdef\"");
    assert!(said.contains("`privacy.key` holds a secret itself") && said.contains("${env:") && !said.contains("0123"), "{said}");
    assert!(wrong("[privacy]\nkey = \"${env:A}\"\nkey_file = \"b\"").contains("cannot stand beside `privacy.key_file`"));
}

#[test]
fn a_hash_needs_a_key_and_a_policy_is_one_of_three() {
    let said = wrong("[privacy.personal]\nemail = \"hash\"");
    assert!(said.contains("`privacy.personal` needs `privacy.key_file`"), "{said}");
    let said = wrong("[privacy.personal]\nemail = \"hsah\"");
    assert!(said.contains("did you mean `hash`?"), "{said}");
    read(&format!("{MINIMAL}[privacy.personal]\nemail = \"mask\"\n")).expect("a mask needs no key");
}

#[test]
fn what_is_hidden_has_no_other_role() {
    let said = wrong("[privacy.personal]\nunits = \"drop\"");
    assert!(said.contains("`data.target` names the column `units`, which is personal"), "{said}");
    let said = wrong("static = [\"region\"]\n[privacy.personal]\nregion = \"mask\"");
    assert!(said.contains("personal and not hashed") && said.contains("\"region\" = \"hash\""), "{said}");
    let said = wrong("[privacy.personal]\n\"data.item\" = \"drop\"");
    assert!(said.contains("`data.id`"), "the only table is `data`: {said}");
    let hashed = "[privacy]\nkey_file = \"k\"\n[privacy.personal]\nitem = \"hash\"\n";
    read(&format!("{MINIMAL}{hashed}")).expect("a hash tells series apart");
}

#[test]
fn a_load_goes_on_from_a_watermark_that_is_readable_and_by_a_key_that_tells_rows_apart() {
    let source = |personal: &str| {
        let keys = "{ url = \"sqlite:shop.db\", table = \"crm\", key = [\"id\"], watermark = \"seen_at\" }";
        let roles = "id = [\"item\"]\ntime = \"day\"\ntarget = \"units\"\nfreq = \"D\"\n";
        read(&format!("[data]\nsource = {keys}\n{roles}[privacy]\nkey_file = \"k\"\n[privacy.personal]\n{personal}\n"))
    };
    source("id = \"hash\"").expect("a hash tells rows apart");
    let said = source("ID = \"mask\"").expect_err("two people may have one shape").to_string();
    assert!(said.contains("`data.source` names the column `id`, which is personal and not hashed"), "{said}");
    let said = source("seen_at = \"hash\"").expect_err("no watermark").to_string();
    assert!(said.contains("names the column `seen_at` as `watermark`, which is personal"), "{said}");
}
