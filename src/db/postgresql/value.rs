//! Values to and from PostgreSQL's wire.

use std::error::Error;

use bytes::BytesMut;
use jiff::civil::DateTime;
use jiff::{SignedDuration, civil};
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type};

use crate::db::Value;

type Failure = Box<dyn Error + Sync + Send>;

/// Everything goes out as text, whatever the type: the server reads it as it reads a literal.
impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Bytes(bytes) => {
                out.extend_from_slice(b"\\x");
                out.extend_from_slice(data_encoding::HEXLOWER.encode(bytes).as_bytes());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }
}

/// A column as it was read.
pub(super) struct Read(pub(super) Value);

impl<'a> FromSql<'a> for Read {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        // A domain is read as what it is made of.
        if let Kind::Domain(inner) = ty.kind() {
            return Self::from_sql(inner, raw);
        }
        let value = match *ty {
            Type::INT2 => Value::Int(i16::from_be_bytes(raw.try_into()?).into()),
            Type::INT4 => Value::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT8 => Value::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::BOOL => Value::Int(i64::from(raw != [0])),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => text(raw),
            Type::TIMESTAMP => Value::Text(timestamp(i64::from_be_bytes(raw.try_into()?))?),
            Type::BYTEA => Value::Bytes(raw.to_vec()),
            Type::VOID => Value::Null,
            // Types of extensions have no fixed number.
            _ if ty.name() == "citext" || matches!(ty.kind(), Kind::Enum(_)) => text(raw),
            _ => return Err(format!("otab reads no column of the type {ty}").into()),
        };
        Ok(Self(value))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A database in `SQL_ASCII` holds whatever it was given.
fn text(raw: &[u8]) -> Value {
    std::str::from_utf8(raw).map_or_else(|_| Value::Bytes(raw.to_vec()), |text| Value::Text(text.to_owned()))
}

/// Microseconds since 2000, in no time zone.
fn timestamp(microseconds: i64) -> Result<String, Failure> {
    const START: DateTime = civil::date(2000, 1, 1).at(0, 0, 0, 0);
    let time = START.checked_add(SignedDuration::from_micros(microseconds))?;
    Ok(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_otobo_writes_them() {
        assert_eq!(timestamp(0).unwrap(), "2000-01-01 00:00:00");
        assert_eq!(timestamp(-1_000_000).unwrap(), "1999-12-31 23:59:59");
        assert_eq!(timestamp(839_808_000_900_000).unwrap(), "2026-08-12 00:00:00");
        assert!(timestamp(i64::MAX).is_err());
    }
}
