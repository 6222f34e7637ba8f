//! `otab notify`: tells the helpdesk of newcomers, and sends the link mails that are due, one at a time.
//!
//! One process does one pass and ends, whatever hangs in it. What a mail says is `letter`'s matter.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use super::transport::transport;
use crate::clock;
use crate::config;
use crate::db::{self, Databases};
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
use crate::link::caps::{self, Caps, Room};
use crate::link::order::Kept;
use crate::link::template::Templates;
use crate::link::transport::{Away, Transport};
use crate::log::Log;
use crate::log::say;
use crate::store::link_mails;
use crate::store::queue;
use crate::store::waiting::{self, Waits};
use crate::worker::after_create::{self, Told};
use crate::worker::due;
use crate::worker::link_mail::{self, Letter};

/// How long after its time limit a sender that says nothing is taken for dead.
const MARGIN: SignedDuration = SignedDuration::from_secs(120);
/// How much of that has to be left once a mail has been sent, for the note about it.
const TO_NOTE: SignedDuration = SignedDuration::from_mins(1);
/// How often a note that a mail has been sent is tried, with a pause before each.
const NOTES: u32 = 60;
const BEFORE_NOTE: Duration = Duration::from_secs(1);
/// How many copies of a mail may go out unanswered, and the pause before the next: a server that is slow to
/// say yes must not get one each minute.
const COPIES: i64 = 3;
const BEFORE_COPY: SignedDuration = SignedDuration::from_hours(1);
/// Most of what a mail server said that is kept, in characters.
const LONGEST_WORDS: usize = 300;

/// What sending needs besides the site, read once.
pub struct Kit {
    transport: Transport,
    templates: Templates,
}

/// One pass.
struct Sender<'a> {
    engine: &'a Engine,
    log: &'a Log,
    kit: Arc<Kit>,
    /// Whether another mail may be begun.
    goes_on: &'a dyn Fn() -> bool,
    /// Told apart from all others that may be at work.
    name: String,
}

/// What became of an order.
enum Fate {
    /// A mail server has its mail.
    Sent,
    /// It is tried again.
    Later { due: Timestamp, why: String },
    /// The same; the mail server may have its mail.
    Unanswered { due: Timestamp, why: String },
    /// It is not, for nobody needs it any more.
    Over(String),
    /// It is not, and nobody gets it.
    Lost(String),
}

/// Where a pass stands.
enum Next {
    /// An order to be tried.
    Order(Box<Kept>),
    /// One that is not tried now, or not at all.
    Other,
    /// Nothing is due, or somebody else is at work.
    Nothing,
}

/// Runs it.
pub fn run(engine: &Engine, is_watching: bool) -> Done {
    let log = &*engine.log;
    if is_watching {
        return due::watch(engine, log).inspect_err(|failure| log.error(&unsent(failure)));
    }
    let mut told = Told::Nobody;
    let done = once(engine, log, None, &|| true, &mut told);
    // Started by the mail path, nobody reads its standard error. Where no link mail ever leaves, it was started to
    // tell of newcomers.
    let is_expected = told != Told::Nobody && engine.config.mail.transport == config::Transport::None;
    done.inspect_err(|failure| {
        if !is_expected {
            log.error(&unsent(failure));
        }
    })
}

fn unsent(failure: &Failure) -> String {
    format!("link mails cannot be sent: {:#}", failure.error)
}

/// Tells of newcomers, and sends what is due. Whoever found this process at work has ended at once: so it looks for
/// newcomers once more when it is done, and behind that for orders. Without a kit it is read.
pub fn once(engine: &Engine, log: &Log, kit: Option<&Arc<Kit>>, goes_on: &dyn Fn() -> bool, told: &mut Told) -> Done {
    let name = uuid::Uuid::new_v4().simple().to_string();
    loop {
        *told = after_create::tell_all(engine, log, &name)?;
        let kit = kit.map_or_else(|| Kit::read(engine).map(Arc::new), |kit| Ok(Arc::clone(kit)))?;
        let sent = Sender { engine, log, kit, goes_on, name: name.clone() }.pass()?;
        match (sent, *told) {
            (Exit::Ok, _) if !goes_on() => return Ok(sent),
            (Exit::Ok, told) if told != Told::ByOther && after_create::are_ready(engine)? => {}
            (Exit::Ok, Told::Failed) => {
                tell_person("create.after_create has failed; see the log");
                return Ok(Exit::TempFail);
            }
            (Exit::Ok, _) => return Ok(sent),
            _ => return after_create::tell_all(engine, log, &name).map(|_| sent).map_err(Failure::from),
        }
    }
}

impl Kit {
    /// Reads the settings and templates of a site from which link mails can leave.
    pub fn read(engine: &Engine) -> Result<Self, Failure> {
        let missing = |what: &str| Failure::new(Exit::Config, what);
        let transport = transport(&engine.config.mail)
            .map_err(|why| missing(&why))?
            .ok_or_else(|| missing("mail.transport is \"none\""))?;
        if engine.config.one_time_auth.link_url.is_none() {
            return Err(missing("one_time_auth.link_url is empty: a link mail would have no link"));
        }
        let links = &engine.config.one_time_auth;
        let templates = Templates::load(links.templates.as_deref(), &links.token_refresh_notification_id)
            .ends(Exit::Config, "one_time_auth.templates")?;
        Ok(Self { transport, templates })
    }
}

impl Sender<'_> {
    /// Sends everything that is due, and lets others work, however it ends.
    fn pass(&self) -> Done {
        let done = self.send_all();
        if !matches!(done, Ok(Exit::Ok)) {
            let released = engine::changing()
                .get(&self.engine.store)
                .and_then(|store| store.write(|tx| queue::release(tx, &self.name)));
            if let Err(error) = released {
                self.log.warning(&format!("link mails: others wait a few minutes: {error}"));
            }
        }
        done
    }

    /// Ends early where the mail server is away: the others would fare no better.
    fn send_all(&self) -> Done {
        loop {
            if !(self.goes_on)() {
                engine::changing().get(&self.engine.store)?.write(|tx| queue::release(tx, &self.name))?;
                return Ok(Exit::Ok);
            }
            let mut dbs = engine::changing();
            if self.is_idle(&mut dbs)? {
                return Ok(Exit::Ok);
            }
            let order = match self.next(&mut dbs)? {
                Next::Nothing => return Ok(Exit::Ok),
                Next::Other => continue,
                Next::Order(order) => order,
            };
            let (fate, is_away) = self.try_order(dbs, &order);
            self.settle(&order, &fate)?;
            if is_away {
                tell_person("the mail server cannot be worked with now; `otab outbox list` says why");
                return Ok(Exit::TempFail);
            }
        }
    }

    /// Whether there is nothing to do, asked without the lock that filters wait for.
    fn is_idle(&self, dbs: &mut Databases) -> Result<bool, db::Error> {
        let now = clock::now();
        let store = dbs.get(&self.engine.store)?;
        let is_due = queue::is_due(store, now)?;
        let is_held = queue::holder(store, now)?.is_some_and(|holder| holder != self.name);
        if is_held && is_due {
            tell_person("another `otab notify` is at work, or was killed a few minutes ago");
        }
        Ok(is_held || (!is_due && queue::holder(store, now)?.is_none()))
    }

    /// The next order. Where there is none, others may work again: in the same transaction, so that an order
    /// that comes now finds either this sender still looking, or nobody in its own sender's way.
    fn next(&self, dbs: &mut Databases) -> Result<Next, db::Error> {
        let now = clock::now();
        let lease = now + self.engine.config.mail.timeout + MARGIN;
        let caps = self.caps();
        dbs.get(&self.engine.store)?.write(|tx| {
            if !queue::hold(tx, &self.name, now, lease)? {
                return Ok(Next::Nothing);
            }
            let Some(order) = queue::take(tx, now, lease)? else {
                queue::release(tx, &self.name)?;
                return Ok(Next::Nothing);
            };
            if order.tries > 1 && now - self.give_up_after() > order.created_at {
                // Its senders have died each time. One that has never been tried (no transport so far) is tried.
                queue::give_up_unsent(tx, &order, now)?;
                self.log.error(&format!("link mail {}: given up: mail.give_up_hours have passed", order.id));
                return Ok(Next::Other);
            }
            match queue::room(tx, &order.recipient, &caps, now)? {
                Room::Free => {
                    if let Some(id) = link_mail::message_id(self.engine, &order) {
                        link_mails::note(tx, &id, now)?;
                    }
                    return Ok(Next::Order(Box::new(order)));
                }
                Room::AddressFull { due } | Room::Later { due, .. }
                    if due - self.give_up_after() > order.created_at =>
                {
                    queue::give_up_unsent(tx, &order, now)?;
                    self.log.warning(&format!("link mail {}: given up: the caps left no room", order.id));
                }
                Room::AddressFull { due } => match waiting::for_address(tx, &order, &caps, due, now)? {
                    Waits::Merged { id, older } => self.log.warning(&format!(
                        "link mail {id}: waits until {due}: mail.per_address is reached; \
                         {older} older ones of its customer are merged into it"
                    )),
                    Waits::TooMany => {
                        queue::give_up_unsent(tx, &order, now)?;
                        let why = "mail.per_address is reached, and too many others wait for the same mailbox";
                        self.log.warning(&format!("link mail {}: not sent: {why}", order.id));
                    }
                },
                Room::Later { due, domain } => {
                    let more = waiting::for_others(tx, &order, &caps, domain.as_deref(), due, now)?;
                    let id = order.id;
                    self.log
                        .warning(&format!("link mail {id} and {more} more: wait until {due}: the caps are reached"));
                }
            }
            Ok(Next::Other)
        })
    }

    fn caps(&self) -> Caps {
        let mail = &self.engine.config.mail;
        Caps { per_address: mail.per_address, per_domain: mail.per_domain, in_all: mail.per_hour }
    }

    fn give_up_after(&self) -> SignedDuration {
        SignedDuration::try_from(self.engine.config.mail.give_up).unwrap_or(SignedDuration::MAX)
    }

    /// Tries an order; what became of it, and whether the mail server is away altogether.
    fn try_order(&self, mut dbs: Databases, order: &Kept) -> (Fate, bool) {
        if let Err(fate) = self.is_known_to_helpdesk(&mut dbs, order) {
            return (fate, false);
        }
        let letter = link_mail::write(self.engine, self.log, &self.kit.templates, &mut dbs, order);
        // Nothing is held open while a mail server takes its time.
        drop(dbs);
        let mail = match letter {
            Letter::Mail(mail) => mail,
            Letter::Never(why) => return (Fate::Over(why), false),
            Letter::NotYet(why) => return (self.later(order, caps::pause(order.tries), why), false),
        };
        let limit = self.engine.config.mail.timeout;
        if clock::now() + limit + TO_NOTE > order.due_at {
            // The database was locked, or the machine asleep: somebody else may have the order by now.
            let why = "looking its customer up took too long".to_owned();
            return (self.later(order, caps::pause(order.tries), why), false);
        }
        crate::failpoint::at("sending");
        let Err(failure) = self.kit.transport.send(&mail, &self.engine.config.variables, limit) else {
            crate::failpoint::at("sent");
            return (Fate::Sent, false);
        };
        // Filters against spam repeat the links that they find.
        let what = order.secret.as_ref().map_or(failure.what.clone(), |secret| secret.masked_in(&failure.what));
        let what: String = what.chars().take(LONGEST_WORDS).collect();
        let fate = match failure.away {
            Away::ThisMailForGood => Fate::Lost(what),
            Away::ThisMail | Away::All => self.later(order, caps::pause(order.tries), what),
            Away::Unanswered if order.unanswered + 1 >= COPIES => {
                Fate::Over(format!("given up, {COPIES} copies went out without an answer: {what}"))
            }
            Away::Unanswered => match self.later(order, BEFORE_COPY, what) {
                Fate::Later { due, why } => Fate::Unanswered { due, why },
                other => other,
            },
        };
        (fate, matches!(failure.away, Away::All | Away::Unanswered))
    }

    /// Whether the helpdesk knows the customer by now: his link would open nothing before. One who has come since
    /// the others were told of is told of here.
    fn is_known_to_helpdesk(&self, dbs: &mut Databases, order: &Kept) -> Result<(), Fate> {
        let known = after_create::is_known(self.engine, self.log, dbs, &self.name, [&order.backend, &order.customer]);
        let why = match known {
            Ok(true) => return Ok(()),
            Ok(false) => "the helpdesk has not been told of its customer yet (create.after_create)".to_owned(),
            Err(error) => format!("whether the helpdesk knows its customer cannot be looked up: {error}"),
        };
        let next = after_create::next_try(self.engine, dbs, clock::now()).ok().flatten();
        let pause = next.map_or(SignedDuration::ZERO, |next| next.duration_since(clock::now()));
        Err(self.later(order, pause.max(caps::pause(order.tries)), why))
    }

    /// Another try after a pause; none where it would come too late.
    fn later(&self, order: &Kept, pause: SignedDuration, why: String) -> Fate {
        let due = clock::now() + pause;
        if due - self.give_up_after() > order.created_at {
            return Fate::Lost(format!("given up: {why}"));
        }
        Fate::Later { due, why }
    }

    fn settle(&self, order: &Kept, fate: &Fate) -> Result<(), Failure> {
        let id = order.id;
        let mut noted = self.note(order, fate);
        for _ in 0..NOTES {
            match &noted {
                // Without this note the customer would get the mail once more.
                Err(error) if error.is_transient() && matches!(fate, Fate::Sent) => std::thread::sleep(BEFORE_NOTE),
                _ => break,
            }
            noted = self.note(order, fate);
        }
        let customer = &order.customer;
        match fate {
            Fate::Sent => self.log.info(&format!("link mail {id}: sent to {customer} in {}", order.backend)),
            Fate::Later { due, why } => self.log.warning(&format!("link mail {id}: tried again at {due}: {why}")),
            Fate::Unanswered { due, why } => self
                .log
                .warning(&format!("link mail {id}: tried again at {due}, though the mail server may have it: {why}")),
            Fate::Over(why) | Fate::Lost(why) => {
                self.log.error(&format!("link mail {id} to {customer}: not sent: {why}"));
            }
        }
        Ok(noted?)
    }

    fn note(&self, order: &Kept, fate: &Fate) -> Result<(), db::Error> {
        engine::changing().get(&self.engine.store)?.write(|tx| match fate {
            Fate::Sent => queue::sent(tx, order, clock::now()),
            Fate::Later { due, why } => queue::postpone(tx, order.id, *due, why),
            Fate::Unanswered { due, why } => queue::postpone_unanswered(tx, order.id, *due, why),
            Fate::Over(_) => queue::give_up(tx, order),
            Fate::Lost(_) => queue::give_up_unsent(tx, order, clock::now()),
        })
    }
}

/// A word for somebody who watches. cron would make a mail of it, so it is for terminals alone.
fn tell_person(what: &str) {
    if std::io::stderr().is_terminal() {
        say(what);
    }
}
