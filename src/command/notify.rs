//! `otab notify`: sends the link mails that are due, one at a time.
//!
//! What a mail says is asked for at the moment when it goes out: a token that has been used or revoked, a
//! customer that is gone, an address that has changed are no reason for a mail any more.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use super::address;
use super::cli;
use super::failure::{Done, Ends, Failure};
use super::people;
use super::site::{self, Site};
use super::token_facts::{Facts, language, look};
use crate::clock;
use crate::config;
use crate::db::{self, Databases};
use crate::exit::Exit;
use crate::link::compose::{self, LinkMail};
use crate::link::outbox::Occasion;
use crate::link::queue::{self, Caps, Room, Taken};
use crate::link::template::{Templates, Texts, Values};
use crate::link::transport::{Away, Security, Smtp, Transport};
use crate::log::Log;
use crate::token::{self, Answer, CustomerStanding};

/// How long after its time limit a sender that says nothing is taken for dead.
const MARGIN: SignedDuration = SignedDuration::from_secs(120);
/// How often `--watch` looks.
const LOOK: Duration = Duration::from_secs(10);

/// What sending needs besides the site.
struct Sender<'a> {
    site: &'a Site,
    log: &'a Log,
    transport: Transport,
    templates: Templates,
    /// Told apart from all others that may be at work.
    name: String,
}

/// What became of an order.
enum Fate {
    /// A mail server has its mail.
    Sent,
    /// It is tried again.
    Later { due: Timestamp, why: String },
    /// It is not.
    Over(String),
}

/// Where a pass stands.
enum Next {
    /// An order to be tried.
    Order(Box<Taken>),
    /// One that the caps keep from being tried now.
    Capped,
    /// Nothing is due, or somebody else is at work.
    Nothing,
}

/// Runs it.
pub fn run(site: &Site, args: &cli::Notify) -> Done {
    if args.detached {
        // Refused to the leader of a group, who has left already.
        let _ = rustix::process::setsid();
    }
    let log = site::open_log(&site.config);
    let sender = match Sender::new(site, &log) {
        Ok(sender) => sender,
        Err(failure) => {
            // Started by the mail path, nobody reads its standard error.
            log.error(&format!("link mails cannot be sent: {:#}", failure.error));
            return Err(failure);
        }
    };
    loop {
        let passed = sender.pass();
        if !args.watch {
            return passed;
        }
        if let Err(failure) = passed {
            log.error(&format!("link mails: {:#}", failure.error));
        }
        std::thread::sleep(LOOK);
    }
}

impl<'a> Sender<'a> {
    fn new(site: &'a Site, log: &'a Log) -> Result<Self, Failure> {
        let missing = |what: &str| Failure::new(Exit::Config, what);
        let transport = transport(&site.config.mail).ok_or_else(|| missing("mail.transport is \"none\""))?;
        if site.config.one_time_auth.link_url.is_none() {
            return Err(missing("one_time_auth.link_url is empty: a link mail would have no link"));
        }
        let links = &site.config.one_time_auth;
        let templates = Templates::load(links.templates.as_deref(), &links.token_refresh_notification_id)
            .ends(Exit::Config, "one_time_auth.templates")?;
        let name = uuid::Uuid::new_v4().simple().to_string();
        Ok(Self { site, log, transport, templates, name })
    }

    /// Sends everything that is due. Ends early where the mail server is away: the others would fare no better.
    fn pass(&self) -> Done {
        loop {
            let mut dbs = people::changing();
            if self.is_idle(&mut dbs)? {
                return Ok(Exit::Ok);
            }
            let order = match self.next(&mut dbs)? {
                Next::Nothing => return Ok(Exit::Ok),
                Next::Capped => continue,
                Next::Order(order) => order,
            };
            let (fate, is_away) = self.try_order(&mut dbs, &order)?;
            self.settle(&mut dbs, &order, &fate)?;
            if is_away {
                dbs.get(&self.site.store)?.write(|tx| queue::release(tx, &self.name))?;
                return Ok(Exit::TempFail);
            }
        }
    }

    /// Whether there is nothing to do, asked without the lock that filters wait for.
    fn is_idle(&self, dbs: &mut Databases) -> Result<bool, db::Error> {
        let now = clock::now();
        let store = dbs.get(&self.site.store)?;
        let is_due = queue::next_due(store)?.is_some_and(|due| due <= now);
        let is_held = queue::holder(store, now)?.is_some_and(|holder| holder != self.name);
        Ok(is_held || (!is_due && queue::holder(store, now)?.is_none()))
    }

    /// The next order. Where there is none, others may work again: in the same transaction, so that an order
    /// that comes now finds either this sender still looking, or nobody in its own sender's way.
    fn next(&self, dbs: &mut Databases) -> Result<Next, db::Error> {
        let now = clock::now();
        let lease = now + self.site.config.mail.timeout + MARGIN;
        let caps = self.caps();
        dbs.get(&self.site.store)?.write(|tx| {
            if !queue::hold(tx, &self.name, now, lease)? {
                return Ok(Next::Nothing);
            }
            let Some(order) = queue::take(tx, now, lease)? else {
                queue::release(tx, &self.name)?;
                return Ok(Next::Nothing);
            };
            match queue::room(tx, &order.recipient, &caps, now)? {
                Room::Free => return Ok(Next::Order(Box::new(order))),
                Room::AddressFull => {
                    queue::give_up(tx, order.id)?;
                    self.log.warning(&format!("link mail {}: not sent: mail.per_address is reached", order.id));
                }
                Room::Later(due) if due - self.give_up_after() > order.created_at => {
                    queue::give_up(tx, order.id)?;
                    self.log.warning(&format!("link mail {}: given up: the caps left no room", order.id));
                }
                Room::Later(due) => {
                    queue::postpone(tx, order.id, due, "mail.per_domain or mail.per_hour is reached")?;
                    self.log.warning(&format!("link mail {}: waits until {due}: the caps are reached", order.id));
                }
            }
            Ok(Next::Capped)
        })
    }

    fn caps(&self) -> Caps {
        let mail = &self.site.config.mail;
        Caps { per_address: mail.per_address, per_domain: mail.per_domain, in_all: mail.per_hour }
    }

    fn give_up_after(&self) -> SignedDuration {
        SignedDuration::try_from(self.site.config.mail.give_up).unwrap_or(SignedDuration::MAX)
    }

    /// Tries an order; what became of it, and whether the mail server is away altogether.
    fn try_order(&self, dbs: &mut Databases, order: &Taken) -> Result<(Fate, bool), Failure> {
        let mail = match self.write(dbs, order)? {
            Ok(mail) => mail,
            Err(why) => return Ok((Fate::Over(why), false)),
        };
        // Nothing is held open while a mail server takes its time.
        *dbs = people::changing();
        super::failpoint("sending");
        let Err(failure) = self.transport.send(&mail, self.site.config.mail.timeout) else {
            super::failpoint("sent");
            return Ok((Fate::Sent, false));
        };
        let due = clock::now() + queue::pause(order.tries);
        let fate = match failure.away {
            Away::ThisMailForGood => Fate::Over(failure.what),
            _ if due - self.give_up_after() > order.created_at => Fate::Over(format!("given up: {}", failure.what)),
            _ => Fate::Later { due, why: failure.what },
        };
        Ok((fate, failure.away == Away::All))
    }

    /// The mail for an order, or why none goes out any more.
    fn write(&self, dbs: &mut Databases, order: &Taken) -> Result<Result<compose::Ready, String>, Failure> {
        let Some(secret) = &order.secret else {
            return Ok(Err("it holds no token".to_owned()));
        };
        let Some(facts) = look(self.site, dbs, secret)? else {
            return Ok(Err("its token is gone".to_owned()));
        };
        let link = match self.link(order, &facts, clock::now()) {
            Ok(link) => link,
            Err(why) => return Ok(Err(why)),
        };
        let language = language(self.site, dbs, &facts);
        let texts = match self.texts(order, &facts, &link, language.as_deref()) {
            Ok(texts) => texts,
            Err(error) => return Err(Failure { exit: Exit::Config, error: error.into() }),
        };
        let mail = &self.site.config.mail;
        let Some(from) = &mail.from else {
            return Err(Failure::new(Exit::Config, "mail.from is empty"));
        };
        let identity = format!("{} {} {}", order.id, order.created_at.as_second(), facts.token.id);
        let composed = compose::compose(&LinkMail {
            from,
            from_name: &mail.from_name,
            to: &order.recipient,
            texts: &texts,
            in_reply_to: order.message_id.as_deref(),
            identity: &identity,
            at: SystemTime::from(clock::now()),
        });
        Ok(composed.map_err(|error| error.to_string()))
    }

    /// The link, if it would open something: the customer gets no mail for one that would not. Whether it
    /// holds a token comes with it.
    fn link(&self, order: &Taken, facts: &Facts, now: Timestamp) -> Result<(String, bool), String> {
        let is_recipient = facts.customer.as_ref().is_some_and(|customer| customer.email == order.recipient);
        if facts.standing == CustomerStanding::HasPassword && is_recipient {
            let config = &self.site.config;
            let number = facts.token.ticket_number.as_deref();
            let page = number.map_or_else(|| address::overview(config), |number| address::ticket_page(config, number));
            let plain = page.ok_or("the customer has a password by now, and one_time_auth.portal_url is empty")?;
            return Ok((plain, false));
        }
        let limits = self.site.limits();
        let answer = token::answer(Some(&facts.token), facts.ticket, false, facts.standing, &limits, now);
        if answer != Answer::Valid || !is_recipient {
            return Err("its link would open nothing any more".to_owned());
        }
        let secret = order.secret.as_ref().ok_or("it holds no token")?;
        let link = address::link(&self.site.config, secret).ok_or("one_time_auth.link_url is empty")?;
        Ok((link, true))
    }

    fn texts(
        &self,
        order: &Taken,
        facts: &Facts,
        (link, one_time): &(String, bool),
        language: Option<&str>,
    ) -> Result<Texts, crate::link::template::Error> {
        let links = &self.site.config.one_time_auth;
        let languages = [language, order.language.as_deref(), Some(links.language.as_str())];
        let languages: Vec<&str> = languages.into_iter().flatten().collect();
        let occasion = if order.is_refresh { Occasion::Refresh } else { Occasion::New };
        let values = Values {
            link,
            ticket_number: facts.token.ticket_number.as_deref().unwrap_or_default(),
            site_name: &links.site_name,
            days: links.access_days_after_close,
            one_time: *one_time,
        };
        self.templates.render(occasion, &languages, &values)
    }

    fn settle(&self, dbs: &mut Databases, order: &Taken, fate: &Fate) -> Result<(), Failure> {
        let id = order.id;
        dbs.get(&self.site.store)?.write(|tx| match fate {
            Fate::Sent => queue::sent(tx, order, clock::now()),
            Fate::Later { due, why } => queue::postpone(tx, id, *due, why),
            Fate::Over(_) => queue::give_up(tx, id),
        })?;
        let customer = &order.customer;
        match fate {
            Fate::Sent => self.log.info(&format!("link mail {id}: sent to {customer} in {}", order.backend)),
            Fate::Later { due, why } => self.log.warning(&format!("link mail {id}: tried again at {due}: {why}")),
            Fate::Over(why) => self.log.error(&format!("link mail {id} to {customer}: not sent: {why}")),
        }
        Ok(())
    }
}

/// The way out that the settings name.
fn transport(mail: &config::Sending) -> Option<Transport> {
    Some(match &mail.transport {
        config::Transport::None => return None,
        config::Transport::Sendmail(program) => Transport::Sendmail(program.clone()),
        config::Transport::File(folder) => Transport::Folder(folder.clone()),
        config::Transport::Smtp(smtp) => Transport::Smtp(Box::new(Smtp {
            host: smtp.host.clone(),
            port: smtp.port,
            security: match smtp.tls {
                config::Tls::StartTls => Security::StartTls,
                config::Tls::Implicit => Security::Implicit,
                config::Tls::None => Security::None,
            },
            ca_file: smtp.ca_file.clone(),
            login: smtp.login.as_ref().map(|(user, password)| (user.clone(), password.expose().to_owned())),
        })),
    })
}
