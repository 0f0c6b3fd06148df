//! How a moment is written where HTTP wants one.

use crate::emulator::Moment;

/// As the `date` header has it (RFC 7231), in whole seconds, those begun cut off: `Thu, 01 Jan 2026 00:00:00 GMT`.
pub fn http(moment: Moment) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // The epoch was a Thursday.
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = moment.to_string();
    let day = moment.0.div_euclid(86_400_000_000).rem_euclid(7);
    let weekday = usize::try_from(day).ok().and_then(|day| DAYS.get(day)).copied().unwrap_or("Thu");
    let month = text.get(5..7).and_then(|month| month.parse::<usize>().ok()).and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{weekday}, {} {} {} {} GMT", part(8, 10), month.copied().unwrap_or("Jan"), part(0, 4), part(11, 19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_headers_have_it() {
        assert_eq!(http(Moment(1_785_416_063_036_059)), "Thu, 30 Jul 2026 12:54:23 GMT");
        assert_eq!(http(Moment(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
