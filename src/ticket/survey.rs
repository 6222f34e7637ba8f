//! What can be said of a helpdesk's database as a whole: what otab needs of its tables, its settings, its mail
//! accounts and addresses. Only read.

use jiff::Timestamp;

use super::otobo::{ClosedSince, Otobo};
use crate::db::survey::Need;
use crate::db::{Database, Databases, Error, Statements, Url, Value};

/// A mail account whose mails lose the control fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// Who logs in.
    pub login: String,
    /// Where.
    pub host: String,
}

/// A setting of the helpdesk's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// It is switched on, with this value; `None` where it is not one plain text or number.
    On(Option<String>),
    /// It is switched off.
    Off,
    /// The helpdesk's database does not know it.
    Unknown,
}

/// A kind of the helpdesk's texts in which a tag counts.
#[derive(Debug)]
pub struct Texts {
    /// What one is called.
    pub what: &'static str,
    /// The tables that it is read from.
    pub tables: &'static [&'static str],
    /// Names by two patterns, without regard to letter case; where there are notifications, without one of these.
    sql: &'static str,
}

/// All of them.
pub const TEXTS: [Texts; 5] = [
    Texts {
        what: "auto response",
        tables: &["auto_response"],
        sql: "SELECT name FROM auto_response WHERE LOWER(text0) LIKE ? OR LOWER(text0) LIKE ? ORDER BY name LIMIT 100",
    },
    Texts {
        what: "template",
        tables: &["standard_template"],
        sql: "SELECT name FROM standard_template WHERE LOWER(text) LIKE ? OR LOWER(text) LIKE ? ORDER BY name LIMIT 100",
    },
    Texts {
        what: "notification",
        tables: &["notification_event", "notification_event_message"],
        sql: "SELECT DISTINCT e.name FROM notification_event_message m \
              JOIN notification_event e ON e.id = m.notification_id \
              WHERE (LOWER(m.text) LIKE ? OR LOWER(m.text) LIKE ?) AND e.id <> ? ORDER BY e.name LIMIT 100",
    },
    Texts {
        what: "signature",
        tables: &["signature"],
        sql: "SELECT name FROM signature WHERE LOWER(text) LIKE ? OR LOWER(text) LIKE ? ORDER BY name LIMIT 100",
    },
    Texts {
        what: "salutation",
        tables: &["salutation"],
        sql: "SELECT name FROM salutation WHERE LOWER(text) LIKE ? OR LOWER(text) LIKE ? ORDER BY name LIMIT 100",
    },
];

/// Which helpdesk a database is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// OTOBO, which reads `X-OTOBO-` fields.
    Otobo,
    /// Znuny (or OTRS), which reads `X-OTRS-` fields.
    Znuny,
}

impl Product {
    /// What it calls itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Otobo => "OTOBO",
            Self::Znuny => "Znuny",
        }
    }
}

/// The name of the time zone's setting, which every installation has from the start, under the one name or the other.
const ZONES: [(&str, Product); 2] = [("OTOBOTimeZone", Product::Otobo), ("OTRSTimeZone", Product::Znuny)];

/// Which helpdesk the database at `url` belongs to; `None` if its settings have neither name, or both.
///
/// What a site has changed does not count: a migration from OTRS may leave its names behind in `sysconfig_modified`.
pub fn product(dbs: &mut Databases, url: &Url) -> Result<Option<Product>, Error> {
    let sql = "SELECT name FROM sysconfig_default WHERE name IN (?, ?)";
    let rows = dbs.reading(url)?.rows(sql, &ZONES.map(|(name, _)| name.into()))?;
    let is_there = |name: &str| rows.iter().any(|row| row.lossy(0) == name);
    let mut found = ZONES.iter().filter(|(name, _)| is_there(name)).map(|(_, product)| *product);
    Ok(found.next().filter(|_| found.next().is_none()))
}

impl Otobo {
    /// Where the tickets are.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// A connection that cannot write.
    pub fn database<'d>(&self, dbs: &'d mut Databases) -> Result<&'d mut Database, Error> {
        dbs.reading(&self.url)
    }

    /// What otab needs of the tables for tickets and articles.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let need = |table: &str, read: &[&str], times: &[&str]| {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            Need { table: table.to_owned(), read: own(read), times: own(times), ..Need::default() }
        };
        let ticket = ["id", "tn", "ticket_state_id", "customer_user_id", "create_time", "change_time"];
        let mut needs = vec![
            need("ticket", &ticket, &["change_time"]),
            need("ticket_state", &["id", "type_id"], &[]),
            need("ticket_state_type", &["id", "name"], &[]),
            need("article", &["id", "ticket_id"], &[]),
            need("article_data_mime", &["article_id", "a_message_id", "a_message_id_md5"], &[]),
        ];
        if self.closed_since == ClosedSince::History {
            needs.push(need("ticket_history", &["id", "ticket_id", "state_id", "create_time"], &["create_time"]));
        }
        needs
    }

    /// When the newest of the last tickets was changed, by the configured time zone.
    pub fn last_change(&self, dbs: &mut Databases) -> Result<Option<Timestamp>, Error> {
        // By the key, which has an index. The time itself has none.
        let sql = "SELECT MAX(t.change_time) FROM (SELECT change_time FROM ticket ORDER BY id DESC LIMIT 200) t";
        let Some(row) = dbs.reading(&self.url)?.row(sql, &[])? else { return Ok(None) };
        Ok(row.opt_text(0)?.and_then(|text| self.zone.read(&text)))
    }

    /// A setting: as the site has changed it, else as it came.
    pub fn setting(&self, dbs: &mut Databases, name: &str) -> Result<Setting, Error> {
        let db = dbs.reading(&self.url)?;
        let is_valid = "CASE WHEN is_valid = 1 THEN 1 ELSE 0 END, effective_value";
        let changed = format!(
            "SELECT {is_valid} FROM sysconfig_modified WHERE name = ? AND user_id IS NULL ORDER BY id DESC LIMIT 1"
        );
        let row = match db.row(&changed, &[name.into()])? {
            Some(row) => Some(row),
            None => db.row(&format!("SELECT {is_valid} FROM sysconfig_default WHERE name = ?"), &[name.into()])?,
        };
        let Some(row) = row else { return Ok(Setting::Unknown) };
        if row.int(0)? == 0 {
            return Ok(Setting::Off);
        }
        Ok(Setting::On(scalar(&row.lossy(1))))
    }

    /// The names of the texts of a kind that hold a tag: as it is, or as rich text has it. The notification `except` is
    /// left out.
    pub fn tagged(
        &self,
        dbs: &mut Databases,
        texts: &Texts,
        tag: &str,
        except: Option<u32>,
    ) -> Result<Vec<String>, Error> {
        // The `_` in a tag stands for any character here: so near that nobody has another.
        let tag = tag.to_lowercase();
        let mut values: Vec<Value> = vec![format!("%<{tag}>%").into(), format!("%&lt;{tag}&gt;%").into()];
        if texts.tables.contains(&"notification_event") {
            values.push(i64::from(except.unwrap_or_default()).into());
        }
        let rows = dbs.reading(&self.url)?.rows(texts.sql, &values)?;
        Ok(rows.iter().map(|row| row.lossy(0).into_owned()).collect())
    }

    /// Whether a table can be read at all.
    pub fn reads(&self, dbs: &mut Databases, table: &str) -> Result<(), Error> {
        dbs.reading(&self.url)?.rows(&format!("SELECT 1 FROM {table} WHERE 1 = 0"), &[]).map(drop)
    }

    /// The valid mail accounts that are not trusted.
    pub fn untrusted_accounts(&self, dbs: &mut Databases) -> Result<Vec<Untrusted>, Error> {
        let sql = "SELECT login, host FROM mail_account WHERE valid_id = 1 AND trusted = 0 ORDER BY id LIMIT 100";
        let rows = dbs.reading(&self.url)?.rows(sql, &[])?;
        let one = |row: &crate::db::Row| Untrusted { login: row.lossy(0).into(), host: row.lossy(1).into() };
        Ok(rows.iter().map(one).collect())
    }

    /// The addresses that the helpdesk sends from and answers for.
    pub fn own_addresses(&self, dbs: &mut Databases) -> Result<Vec<String>, Error> {
        let sql = "SELECT value0 FROM system_address WHERE valid_id = 1 ORDER BY id LIMIT 10000";
        let rows = dbs.reading(&self.url)?.rows(sql, &[])?;
        Ok(rows.iter().map(|row| row.lossy(0).into_owned()).collect())
    }
}

/// A document of YAML that is one plain text or number, as OTOBO writes it: `--- Ticket#`, `--- '10'`.
///
/// What needs more of YAML than quotes is not read at all, rather than wrongly.
fn scalar(yaml: &str) -> Option<String> {
    let line = yaml.strip_prefix("---").unwrap_or(yaml).trim();
    if line.contains('\n') {
        return None;
    }
    if let Some(inner) = line.strip_prefix('\'') {
        let inner = inner.strip_suffix('\'')?;
        return Some(inner.replace("''", "'"));
    }
    if let Some(inner) = line.strip_prefix('"') {
        let inner = inner.strip_suffix('"')?;
        return (!inner.contains(['\\', '"'])).then(|| inner.to_owned());
    }
    let is_plain = !line.starts_with(['[', '{', '|', '>', '&', '*', '!', '%', '@', '`']) && !line.contains(": ");
    is_plain.then(|| if line == "~" { String::new() } else { line.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_value_is_read_and_more_is_not_guessed() {
        for (yaml, value) in [
            ("--- Ticket#\n", Some("Ticket#")),
            ("--- '10'\n", Some("10")),
            ("--- 10\n", Some("10")),
            ("---\nUTC\n", Some("UTC")),
            ("--- ''\n", Some("")),
            ("--- \"\"\n", Some("")),
            ("--- 'it''s'\n", Some("it's")),
            ("--- ~\n", Some("")),
            ("--- \"a\\tb\"\n", None),
            ("---\nModule: Kernel::X\n", None),
            ("---\n- a\n- b\n", None),
            ("--- [a]\n", None),
            ("--- 'open\n", None),
        ] {
            assert_eq!(scalar(yaml).as_deref(), value, "{yaml:?}");
        }
    }
}
