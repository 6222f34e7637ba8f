//! Times as OTOBO writes them: without their zone, in `OTOBOTimeZone` (facts, section 5). Pure.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The zone of the times in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A time zone that this system does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone that this system knows; write UTC, or a name such as Europe/Berlin")]
pub struct UnknownZone(String);

impl Zone {
    /// OTOBO's default.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of this name; `UTC` needs no tables of the system's.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        match name {
            "UTC" => Ok(Self::UTC),
            name => TimeZone::get(name).map(Self).map_err(|_| UnknownZone(name.to_owned())),
        }
    }

    /// Whether this system has tables of zones at all: without them it knows `UTC` alone.
    #[must_use]
    pub fn has_tables() -> bool {
        !jiff::tz::db().is_definitively_empty()
    }

    /// The moment that a text such as `2026-11-21 12:00:00` means. Where a clock that was put back shows a time
    /// twice it is the later one; one that it skipped is moved on.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        let time: DateTime = text.parse().ok()?;
        self.0.to_ambiguous_timestamp(time).later().ok()
    }

    /// The same, but the earlier of two: where a later one would make something live longer.
    #[must_use]
    pub fn read_earlier(&self, text: &str) -> Option<Timestamp> {
        let time: DateTime = text.parse().ok()?;
        self.0.to_ambiguous_timestamp(time).earlier().ok()
    }

    /// What the clock of this zone shows at a moment, to the second.
    #[must_use]
    pub fn write(&self, time: Timestamp) -> String {
        time.to_zoned_datetime(self.0.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_shown_twice_may_be_read_as_the_earlier() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let read = |text| berlin.read_earlier(text).map(|time| time.to_string());
        assert_eq!(read("2026-10-25 02:30:00").as_deref(), Some("2026-10-25T00:30:00Z"));
        assert_eq!(read("2026-01-01 00:00:00").as_deref(), Some("2025-12-31T23:00:00Z"));
        for text in ["0000-00-00 00:00:00", "", "2026-13-01 00:00:00", "now"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    fn utc(text: &str, zone: &str) -> Option<String> {
        Zone::named(zone).unwrap().read(text).map(|time| time.to_string())
    }

    #[test]
    fn times_are_read_in_their_zone_odd_ones_as_later() {
        for (text, zone, wanted) in [
            ("2026-11-21 12:00:00", "UTC", Some("2026-11-21T12:00:00Z")),
            ("2026-11-21 12:00:00", "Europe/Berlin", Some("2026-11-21T11:00:00Z")),
            ("2026-07-21 12:00:00", "Europe/Berlin", Some("2026-07-21T10:00:00Z")),
            // Twice: the clock was put back.
            ("2026-10-25 02:30:00", "Europe/Berlin", Some("2026-10-25T01:30:00Z")),
            // Never: the clock was put forward.
            ("2026-03-29 02:30:00", "Europe/Berlin", Some("2026-03-29T01:30:00Z")),
            ("0000-00-00 00:00:00", "UTC", None),
            ("9999-12-31 23:59:59", "America/Los_Angeles", None),
            ("", "UTC", None),
            ("yesterday", "UTC", None),
        ] {
            assert_eq!(utc(text, zone).as_deref(), wanted, "{text} {zone}");
        }
    }

    #[test]
    fn times_are_written_as_their_zones_clock_shows_them() {
        for (zone, time, wanted) in [
            ("UTC", "2026-11-21T11:00:00.9Z", "2026-11-21 11:00:00"),
            ("Europe/Berlin", "2026-11-21T11:00:00Z", "2026-11-21 12:00:00"),
            ("Europe/Berlin", "2026-07-21T23:30:00Z", "2026-07-22 01:30:00"),
            ("America/Los_Angeles", "2026-01-01T00:00:00Z", "2025-12-31 16:00:00"),
        ] {
            assert_eq!(Zone::named(zone).unwrap().write(time.parse().unwrap()), wanted, "{zone}");
        }
    }

    #[test]
    fn a_zone_that_nobody_knows_is_refused() {
        let error = Zone::named("Europe/Atlantis").unwrap_err();
        assert!(error.to_string().contains("Europe/Atlantis"));
    }
}
