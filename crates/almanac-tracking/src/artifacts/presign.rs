//! Signed URLs of single parts of an upload to S3.
//!
//! The library signs URLs of whole objects only. A URL that it signed is taken apart here, gets the number of the part, and is
//! signed again with the same day, region and key.
//!
//! Source: Amazon S3 API reference, "Authenticating requests: using query parameters (AWS Signature Version 4)".
//!
//! Not here: which uploads are under way (`parts`).

use url::Url;

use super::digest::{hex, hmac, sha256_hex};

/// Adds parameters to a URL that was signed for `method`, and signs it anew. `None` if it was not signed in this way.
pub(super) fn with_parameters(signed: &Url, method: &str, secret: &str, parameters: &[(&str, &str)]) -> Option<Url> {
    let mut pairs: Vec<(String, String)> = signed.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
    pairs.retain(|(key, _)| key != "X-Amz-Signature");
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let (credential, date) = (value("X-Amz-Credential")?, value("X-Amz-Date")?);
    // key/20130524/us-east-1/s3/aws4_request
    let (_, scope) = credential.split_once('/')?;
    let mut parts = scope.split('/');
    let (day, region, service) = (parts.next()?, parts.next()?, parts.next()?);
    pairs.extend(parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let mut encoded: Vec<(String, String)> = pairs.iter().map(|(key, value)| (encode(key), encode(value))).collect();
    encoded.sort();
    let query = encoded.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&");
    let host = &signed[url::Position::BeforeHost..url::Position::AfterPort];
    let request = format!("{method}\n{}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", signed.path());
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256_hex(&request));
    let key = [day, region, service, "aws4_request"]
        .iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, message| hmac(&key, message.as_bytes()).to_vec());
    let mut url = signed.clone();
    url.set_query(Some(&format!("{query}&X-Amz-Signature={}", hex(&hmac(&key, to_sign.as_bytes())))));
    Some(url)
}

/// Encodes all but letters, digits, `-`, `.`, `_` and `~`.
fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the source, which has no parameters to add.
    #[test]
    fn a_signature_is_that_of_the_reference() {
        let signed = Url::parse(
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524\
             %2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
        )
        .expect("a URL");
        let url = with_parameters(&signed, "GET", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &[]).expect("signed");
        let signature = "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(url.as_str().ends_with(signature), "{url}");
    }
}
