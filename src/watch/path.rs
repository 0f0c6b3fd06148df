//! Names in addresses: percent signs put in and taken out, and the fields of forms.

use crate::model::InstanceKey;
use std::fmt::Write;

/// The page of an instance.
pub(super) fn page_of(key: &InstanceKey) -> String {
    format!("/i/{}/{}", encoded(&key.namespace), encoded(&key.name))
}

/// A text as one part of a path, or as a value of a query.
pub(super) fn encoded(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            all.push(char::from(byte));
        } else {
            let _ = write!(all, "%{byte:02X}");
        }
    }
    // A path made of dots would be taken for a way up.
    if all.chars().all(|it| it == '.') { all.replace('.', "%2E") } else { all }
}

/// The text again; `None` where it is no UTF-8.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let digits = tail.get(..2).filter(|it| *first == b'%' && it.iter().all(u8::is_ascii_hexdigit));
        let code = digits.and_then(|it| std::str::from_utf8(it).ok()).and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(code.unwrap_or(*first));
        if code.is_some() {
            rest = &tail[2..];
        }
    }
    String::from_utf8(bytes).ok()
}

/// The first value of a field, in a query or in the body of a form.
pub(super) fn field(form: &str, name: &str) -> Option<String> {
    form.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(&key.replace('+', " "))? == name).then(|| decoded(&value.replace('+', " ")))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_reads_back_the_same() {
        for name in ["mypad", "<script>", "a/b%2F?&=+#", "ö \u{202e}", "..", "."] {
            assert_eq!(decoded(&encoded(name)).as_deref(), Some(name));
            assert_eq!(field(&format!("x=1&what={}", encoded(name)), "what").as_deref(), Some(name));
            assert!(!encoded(name).contains(['/', '<', '?', '&', '=', '+', '#', ' ']));
        }
        assert_eq!(encoded(".."), "%2E%2E");
        assert_eq!(decoded("%zz%+1%4"), Some("%zz%+1%4".to_owned()));
        assert_eq!(decoded("%ff"), None);
    }
}
