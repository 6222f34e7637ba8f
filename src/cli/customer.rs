//! `otab customer`: customers in the customer sources, by hand. Never sets or shows a password.

use serde_json::{Map, Value, json};

use super::args;
use super::print;
use crate::clock;
use crate::customer::{CustomerUser, Entry, Error, or_blank};
use crate::db::Databases;
use crate::engine::newcomer;
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::log::clean;
use crate::mail::{Address, fold};
use crate::worker::spawn_notify::{self, Why};

/// Runs it.
pub fn run(engine: &Engine, command: args::Customer) -> Done {
    match command {
        args::Customer::List { backend, json } => list(engine, backend.as_deref(), json),
        args::Customer::Show { login, json } => show(engine, &login, json),
        args::Customer::Add { email, login, customer_id, first_name, last_name, backend: _ } => {
            let address = Address::parse(&email)
                .ok_or_else(|| Failure::new(Exit::DataErr, format!("`{}` is no e-mail address", clean(&email))))?;
            let mut dbs = engine.adding();
            let entry = entry(engine, &mut dbs, &address, login, customer_id, [first_name, last_name])?;
            add(engine, dbs, &address, &entry)
        }
        args::Customer::Disable { login, backend: _ } => disable(engine, &login),
    }
}

fn list(engine: &Engine, backend: Option<&str>, json: bool) -> Done {
    let mut dbs = engine::reading();
    let mut all = Vec::new();
    let names = engine.config.customer_user.iter().map(|source| source.name.as_str());
    for name in names.filter(|name| backend.is_none_or(|wanted| wanted == *name)) {
        all.extend(engine.directory.list(&mut dbs, name, None)?);
    }
    if json {
        print::json(&all.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        let rows = all.into_iter().map(|c| {
            let standing = standing(&c).to_owned();
            [c.login, c.email, c.customer_id, standing, c.source, c.first_name, c.last_name]
        });
        let headings = ["LOGIN", "EMAIL", "CUSTOMER-ID", "STANDING", "BACKEND", "FIRST NAME", "LAST NAME"];
        print::table(headings, rows.collect())?;
    }
    Ok(Exit::Ok)
}

fn show(engine: &Engine, login: &str, json: bool) -> Done {
    let mut dbs = engine::reading();
    let found = engine.directory.by_login_anywhere(&mut dbs, login)?;
    let customer = found.ok_or_else(|| unknown(login))?;
    let preferences = preferences(engine, &mut dbs, &customer)?;
    if json {
        let mut value = as_json(&customer);
        value["preferences"] =
            Value::Object(preferences.into_iter().map(|(k, v)| (k, v.into())).collect::<Map<_, _>>());
        print::json(&value)?;
        return Ok(Exit::Ok);
    }
    let standing = standing(&customer).to_owned();
    let mut pairs = vec![
        ("login", customer.login),
        ("email", customer.email),
        ("customer-id", customer.customer_id),
        ("standing", standing),
        ("backend", customer.source),
        ("first name", customer.first_name),
        ("last name", customer.last_name),
    ];
    pairs.extend(preferences.iter().map(|(key, value)| (key.as_str(), value.clone())));
    print::pairs(&pairs)?;
    Ok(Exit::Ok)
}

/// The preferences that otab knows of: its own for new customers, and the language.
fn preferences(
    engine: &Engine,
    dbs: &mut Databases,
    customer: &CustomerUser,
) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    let mut keys: Vec<&str> = engine.config.create.preferences.keys().map(String::as_str).collect();
    if !keys.contains(&"UserLanguage") {
        keys.push("UserLanguage");
    }
    for key in keys {
        if let Some(value) = engine.directory.preference(dbs, &customer.source, &customer.login, key)? {
            found.push((key.to_owned(), value));
        }
    }
    Ok(found)
}

fn entry(
    engine: &Engine,
    dbs: &mut Databases,
    address: &Address,
    login: Option<String>,
    customer_id: Option<String>,
    names: [Option<String>; 2],
) -> Result<Entry, Failure> {
    let customer_id = if let Some(id) = customer_id {
        id
    } else {
        let (id, unread) = engine::customer_id(engine, dbs, address)?.map_err(Error::Refused)?;
        if let Some(why) = unread {
            engine.log.warning(&why);
        }
        id
    };
    let [first_name, last_name] = names.map(or_blank);
    Ok(Entry {
        login: login.unwrap_or_else(|| address.to_string()),
        email: address.to_string(),
        customer_id,
        first_name,
        last_name,
        preferences: engine.config.create.preferences.clone().into_iter().collect(),
    })
}

fn add(engine: &Engine, mut dbs: Databases, address: &Address, entry: &Entry) -> Done {
    if engine.directory.by_login(&mut dbs, &engine.backend, &entry.login)?.is_some() {
        let what = format!("there is a customer `{}` in {} already", clean(&entry.login), engine.backend);
        return Err(Failure::new(Exit::CantCreate, what));
    }
    refuse_marker(engine, entry)?;
    refuse_claimed(engine, &mut dbs, address, entry)?;
    if entry.check().is_ok() {
        newcomer::note(engine, &mut dbs, &entry.login, clock::now())?;
    }
    let customer = engine.directory.add(&mut dbs, &engine.backend, entry, clock::now())?;
    drop(dbs);
    if newcomer::are_announced(engine) {
        spawn_notify::sender(&engine.config, &engine.log, Why::Newcomer);
    }
    engine.log.info(&format!("customer {} added to {}", customer.login, customer.source));
    print::line(&format!("customer {} added to {}", clean(&customer.login), customer.source))?;
    Ok(Exit::Ok)
}

/// A customer with the marker as login or customer id would get the tickets of all doubtful senders.
fn refuse_marker(engine: &Engine, entry: &Entry) -> Result<(), Failure> {
    let marker = fold(&engine.config.postmaster.marker);
    for (what, value) in [("login", &entry.login), ("customer id", &entry.customer_id)] {
        if fold(value) == marker {
            let why = format!("the {what} is postmaster.marker, which stands for senders that are nobody");
            return Err(Failure::new(Exit::NoPerm, why));
        }
    }
    Ok(())
}

/// Two customers that a database or an eye could take for one another must not come to be. A customer
/// id may be shared, that is what it is for; but one that is an address belongs to whoever has it.
fn refuse_claimed(engine: &Engine, dbs: &mut Databases, address: &Address, entry: &Entry) -> Result<(), Failure> {
    let refused = |what: &str, source: &str| {
        let why = format!("the {what} is too much like somebody else's login, customer id or address in {source}");
        Err(Failure::new(Exit::NoPerm, why))
    };
    if let Some(claim) = engine.directory.claimed(dbs, address)? {
        return refused("address", &claim.source);
    }
    if !address.is_stated_by(&entry.login) && engine.directory.knows(dbs, &entry.login)? {
        return refused("login", "one of the customer sources");
    }
    if let Some(other) = Address::parse(&entry.customer_id)
        && let Some(claim) = engine.directory.claimed(dbs, &other)?
    {
        return refused("customer id", &claim.source);
    }
    Ok(())
}

fn disable(engine: &Engine, login: &str) -> Done {
    if !engine.directory.disable(&mut engine::changing(), &engine.backend, login, clock::now())? {
        return Err(unknown(login));
    }
    engine.log.info(&format!("customer {login} in {} disabled", engine.backend));
    print::line(&format!("customer {} in {} is invalid now", clean(login), engine.backend))?;
    Ok(Exit::Ok)
}

fn unknown(login: &str) -> Failure {
    Failure::new(Exit::NoUser, format!("there is no customer `{}`", clean(login)))
}

fn standing(customer: &CustomerUser) -> &'static str {
    match (customer.valid, customer.has_password) {
        (false, _) => "invalid",
        (true, true) => "valid, with a password",
        (true, false) => "valid",
    }
}

fn as_json(customer: &CustomerUser) -> Value {
    json!({
        "login": customer.login, "email": customer.email, "customer_id": customer.customer_id,
        "first_name": customer.first_name, "last_name": customer.last_name, "valid": customer.valid,
        "has_password": customer.has_password, "backend": customer.source,
    })
}
