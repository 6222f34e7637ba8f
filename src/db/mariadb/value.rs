//! Values to and from MariaDB's wire.

use mysql::Value as Wire;

use crate::db::Value;

/// A value for a prepared statement. Texts are sent as texts: bytes and texts are one on this wire.
pub(super) fn parameter(value: &Value) -> Wire {
    match value {
        Value::Null => Wire::NULL,
        Value::Int(number) => Wire::Int(*number),
        Value::Text(text) => Wire::Bytes(text.as_bytes().to_vec()),
        Value::Bytes(bytes) => Wire::Bytes(bytes.clone()),
    }
}

/// A column as it was read.
pub(super) fn read(value: Wire) -> Value {
    match value {
        Wire::NULL => Value::Null,
        Wire::Int(number) => Value::Int(number),
        Wire::UInt(number) => i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Int),
        Wire::Float(number) => Value::Text(number.to_string()),
        Wire::Double(number) => Value::Text(number.to_string()),
        Wire::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Value::Text(text),
            Err(error) => Value::Bytes(error.into_bytes()),
        },
        Wire::Date(year, month, day, hour, minute, second, _) => {
            Value::Text(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
        }
        Wire::Time(is_negative, days, hours, minutes, seconds, _) => {
            let (sign, hours) = (if is_negative { "-" } else { "" }, days * 24 + u32::from(hours));
            Value::Text(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_what_they_hold() {
        for (wire, value) in [
            (Wire::NULL, Value::Null),
            (Wire::UInt(7), Value::Int(7)),
            (Wire::UInt(u64::MAX), Value::Text("18446744073709551615".into())),
            (Wire::Bytes(b"a\0b".to_vec()), Value::Text("a\0b".into())),
            (Wire::Bytes(vec![0xff]), Value::Bytes(vec![0xff])),
            (Wire::Date(2026, 8, 2, 1, 2, 3, 999), Value::Text("2026-08-02 01:02:03".into())),
            (Wire::Date(0, 0, 0, 0, 0, 0, 0), Value::Text("0000-00-00 00:00:00".into())),
            (Wire::Time(true, 1, 2, 3, 4, 0), Value::Text("-26:03:04".into())),
        ] {
            assert_eq!(read(wire), value);
        }
    }
}
