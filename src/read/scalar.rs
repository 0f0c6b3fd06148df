//! What an unquoted word of YAML means: the core schema of YAML 1.2, and its surprises.

use super::node::Value;

/// What an unquoted word means.
pub fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

/// The truth value that YAML 1.1, and many people, would read in a word.
pub fn truth_word(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    // No number is longer than this, and most texts that are not numbers end here.
    if text.len() > 400 || !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    integer(text).map(Value::Int).or_else(|| float(text).map(Value::Float))
}

fn integer(text: &str) -> Option<i128> {
    let of_radix = |digits: &str, radix: u32| {
        let all = !digits.is_empty() && digits.chars().all(|each| each.is_digit(radix));
        all.then(|| i128::from_str_radix(digits, radix).unwrap_or(i128::MAX))
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return of_radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return of_radix(digits, 16);
    }
    match text.strip_prefix('-') {
        Some(digits) => of_radix(digits, 10).map(|number| -number),
        None => of_radix(text.strip_prefix('+').unwrap_or(text), 10),
    }
}

fn float(text: &str) -> Option<f64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match rest {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if rest.len() == text.len() => return Some(f64::NAN),
        _ => {}
    }
    let shaped = rest.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && rest.chars().any(|each| each.is_ascii_digit())
        && rest.chars().all(|each| each.is_ascii_digit() || matches!(each, '.' | 'e' | 'E' | '+' | '-'));
    if !shaped {
        return None;
    }
    rest.parse::<f64>().ok().map(|number| sign * number)
}
