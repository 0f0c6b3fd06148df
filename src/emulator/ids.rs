//! Ids that look like random UUIDs and are the same in every run.

/// A UUID (version 4 by its looks) made from a seed and words: the same words give the same id.
pub fn uuid_of(seed: u64, words: &[&str]) -> String {
    let mut high = fold(seed ^ 0x9e37_79b9_7f4a_7c15, words);
    let mut low = fold(high ^ 0xc2b2_ae3d_27d4_eb4f, words);
    high = (high & !0xf000) | 0x4000;
    low = (low & !(0b11 << 62)) | (0b10 << 62);
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xffff);
    let (d, e) = (low >> 48, low & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
}

/// Whether a text has the shape of a UUID.
pub fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths = parts.iter().map(|part| part.len());
    lengths.eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a text is a UUID of random bits (version 4), as all ids of this API are.
pub fn is_random(text: &str) -> bool {
    let digits = text.as_bytes();
    is_uuid(text) && digits.get(14) == Some(&b'4') && digits.get(19).is_some_and(|digit| b"89ab".contains(digit))
}

/// A number spread well from a seed and words (FNV-1a over the words, finished by a full mix).
pub fn fold(seed: u64, words: &[&str]) -> u64 {
    let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
    for byte in words.iter().flat_map(|word| word.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash)
}

/// The finishing mix of SplitMix64.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_id_and_others_another() {
        let id = uuid_of(1, &["server", "1"]);
        assert!(is_uuid(&id) && is_random(&id), "{id}");
        assert!(!is_random("11111111-1111-1111-1111-111111111111"));
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]));
        assert_eq!(id, uuid_of(1, &["server", "1"]));
        let mut ids: Vec<String> = (0..1000).map(|number| uuid_of(1, &["server", &number.to_string()])).collect();
        ids.push(uuid_of(1, &["serve", "r1"]));
        ids.push(uuid_of(2, &["server", "1"]));
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 1002);
    }

    #[test]
    fn what_is_no_uuid_is_told() {
        assert!(!is_uuid("51.15.1.2"));
        assert!(!is_uuid("zzzzzzzz-0000-4000-8000-000000000000"));
    }
}
