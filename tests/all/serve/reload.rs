//! SIGHUP: the configuration, and all that it names, in force as a whole or not at all.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{reload_bad, reload_good, site_name};
use crate::door::client::{Client, Place, Stream, answer};
use crate::door::{BASE, Door, OWN, Serving, closed};
use crate::links::peer::{Peer, Reply};
use crate::setups::{free_port, wait_for};
use crate::site::{Site, mail, run};

/// One answer of a connection that stays open.
fn next_answer(stream: &mut dyn Stream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"</html>\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&text));
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn a_reload_changes_all_but_what_is_under_way() {
    let mut door = Door::open();
    let (cookie, enter) = door.enter();
    let mut kept = door.client.connect();
    kept.write_all(b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    assert!(next_answer(kept.as_mut()).contains("Hilfe für alle"));
    let mut under_way = door.client.connect();
    let head = format!(
        "POST /t/never HTTP/1.1\r\nHost: h\r\nOrigin: {BASE}\r\nContent-Length: 7\r\nConnection: close\r\n\r\n"
    );
    under_way.write_all(head.as_bytes()).unwrap();
    // Whatever is asked later has been heard later.
    assert_eq!(door.get("/healthz").body, "ok\n");

    door.desk.configure("Hilfe für alle", "Another site");
    std::fs::create_dir(door.desk.path("pages")).unwrap();
    door.desk.write("pages/texts.en.toml", "[not_found]\nheading = \"Nothing of ours\"\n");
    door.desk.configure("[door]\n", "[door]\ntemplates = \"pages\"\naccent = \"#123456\"\n");
    reload_good(&door.desk, &mut door.serving);

    let page = door.get("/nothing");
    assert_eq!((site_name(&page), page.heading()), ("Another site", "Nothing of ours"));
    assert!(door.get("/otab/style.css").body.contains("#123456"));
    // The connection is the one from before; the request is not.
    kept.write_all(b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    assert!(next_answer(kept.as_mut()).contains("Another site"));
    under_way.write_all(b"do=open").unwrap();
    let finished = answer(under_way.as_mut());
    assert_eq!((finished.status, site_name(&finished)), (404, "Hilfe für alle"));
    assert_eq!(door.auth(&cookie, &enter).status, 200);

    // A file that the configuration names is read anew as well.
    door.desk.write("pages/texts.en.toml", "[not_found]\nheading = \"Still nothing\"\n");
    assert_eq!(door.get("/nothing").heading(), "Nothing of ours");
    reload_good(&door.desk, &mut door.serving);
    assert_eq!(door.get("/nothing").heading(), "Still nothing");
}

#[test]
fn a_bad_configuration_leaves_the_old_one_in_force() {
    let metrics = free_port();
    let mut door = Door::with(&format!("metrics = \"127.0.0.1:{metrics}\"\n"));
    let numbers = Client(Place::Tcp(metrics));
    let is_in_force = |good: u8| {
        let shown = numbers.ask("GET", "/metrics", &[], b"").body;
        assert!(shown.contains(&format!("otab_door_last_reload_successful {good}\n")), "{shown}");
    };
    is_in_force(1);
    let good = std::fs::read_to_string(door.desk.path("otab.toml")).unwrap();
    let shown = good.replace("Hilfe für alle", "Another site");
    for (bad, problems) in [
        // All that is wrong with the file.
        (shown.replace("[door]\n", "[door]\naccnt = \"\"\nlogoo = \"\"\n"), &["door.accnt: ", "door.logoo: "][..]),
        (shown.clone() + "[door\n", &["line "]),
        // All that is wrong with what it names, and with what it would change.
        (
            shown.replace("[door]\n", "[door]\nlogo = \"otab.toml\"\ntemplates = \"none\"\nsocket_mode = \"0600\"\n"),
            &["neither SVG nor PNG", "none: No such file", "door.listen or door.socket_mode has changed"],
        ),
        (shown.replace("[door]\n", "[door]\nfastcgi = \"127.0.0.1:1\"\n"), &["door.fastcgi has changed"]),
        (shown.replace("[door]\n", "[door]\nnotify = true\n"), &["the worker is configured now, and does not run"]),
        (shown.replace("https://help.test\"\nlisten", "\"\nlisten"), &["the portal is not configured"]),
        (shown.replace("create = true", "url = \"sqlite:none.db\""), &["none.db"]),
    ] {
        let lines = door.desk.log().lines().count();
        door.desk.write("otab.toml", &bad);
        reload_bad(&door.desk, &mut door.serving);
        let log: Vec<String> = door.desk.log().lines().skip(lines).map(str::to_owned).collect();
        for problem in problems {
            assert!(log.iter().any(|line| line.contains("serve: ") && line.contains(problem)), "{problem}: {log:#?}");
        }
        assert!(log.iter().any(|line| line.contains("is refused; the one before is in force")), "{log:#?}");
        let health = door.get("/healthz");
        assert_eq!(health.status, 200);
        assert!(health.body.starts_with("ok\nthe configuration that was read last is refused"), "{health:?}");
        assert_eq!(site_name(&door.get("/nothing")), "Hilfe für alle");
        is_in_force(0);
    }
    door.desk.write("otab.toml", &good);
    reload_good(&door.desk, &mut door.serving);
    is_in_force(1);
    assert_eq!(door.get("/healthz").body, "ok\n");
}

#[test]
fn a_reload_gives_nobody_their_tries_back() {
    let mut door = Door::with("wrong_tokens_per_hour = 1\n");
    assert_eq!(door.get("/t/never").status, 404);
    assert_eq!(door.get("/t/never").status, 429);
    reload_good(&door.desk, &mut door.serving);
    assert_eq!(door.get("/t/never").status, 429);
    door.desk.configure("wrong_tokens_per_hour = 1", "wrong_tokens_per_hour = 2");
    reload_good(&door.desk, &mut door.serving);
    assert_eq!(door.get("/t/never").status, 404);
}

#[test]
fn the_worker_sends_by_the_configuration_in_force() {
    let peer = Peer::with_extensions("250-AUTH PLAIN\r\n", |_, _| Reply::Usual);
    let desk = closed("notify = true\n");
    let smtp = format!(
        "transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nuser = \"otab\"\npassword_file = \"secret\"",
        peer.port
    );
    desk.configure("transport = \"file\"", &smtp);
    desk.configure("link_url =", "templates = \"mails\"\nlink_url =");
    std::fs::create_dir(desk.path("mails")).unwrap();
    let subject = |text: &str| desk.write("mails/new.en.subject", text);
    subject("First");
    desk.write("secret", "one");
    desk.mail_from("first@corp.test", "0@corp.test");
    std::fs::copy(desk.path("otab.toml"), desk.path("good.toml")).unwrap();
    let mut serving = Serving::of(&desk, &["worker"], |_| {});
    let sent = |number: usize, subject: &str, password: &str| {
        if number > 1 {
            // The filter, too, would refuse the other one.
            let mut filter = Site::otab();
            filter.arg("--config").arg(desk.path("good.toml")).arg("filter");
            assert!(run(&mut filter, &mail(number)).status.success());
        }
        wait_for(&desk.path("otab.log"), "sent to", number);
        let mail = peer.got().pop().unwrap().mail;
        assert!(mail.contains(&format!("Subject: {subject}\n")), "{mail}");
        // \0user\0password (RFC 4616).
        let login = format!("AUTH PLAIN {}", data_encoding::BASE64.encode(format!("\0otab\0{password}").as_bytes()));
        assert!(peer.heard().iter().rfind(|line| line.starts_with("AUTH")) == Some(&login), "{:?}", peer.heard());
    };
    sent(1, "First", "one");
    // Neither file counts as long as one thing is wrong.
    desk.write("secret", "two");
    subject("{{Second");
    reload_bad(&desk, &mut serving);
    desk.logged(&["serve: ", "new.en.subject"]);
    sent(2, "First", "one");
    subject("Second");
    desk.configure("from_name", "from_nam");
    reload_bad(&desk, &mut serving);
    sent(3, "First", "one");
    desk.configure("from_nam ", "from_name ");
    reload_good(&desk, &mut serving);
    sent(4, "Second", "two");
}

#[test]
fn a_renewed_link_goes_out_by_the_worker_at_once() {
    let desk = closed("notify = true\n");
    let door = Door::of(desk);
    let path = door.link();
    assert_eq!(door.press(&path, "open", None).status, 303);
    // A process of its own would refuse this, and find nothing else.
    door.desk.configure("from_name", "from_nam");
    assert_eq!(door.client.ask("POST", &path, &[OWN], b"do=renew").status, 200);
    wait_for(&door.desk.path("otab.log"), "link mail 2: sent to", 1);
}

#[test]
fn many_reloads_leave_nothing_behind() {
    let mut door = Door::with("purge = \"04:00\"\nrequests_per_minute = 0\n");
    let id = door.serving.id();
    let count = |what: &str| std::fs::read_dir(format!("/proc/{id}/{what}")).unwrap().count();
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().to_owned();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let reload = |door: &mut Door| {
        reload_good(&door.desk, &mut door.serving);
        // Desks have questions, and open the store.
        (0..4).for_each(|_| assert_eq!(door.get("/healthz").status, 200));
    };
    (0..10).for_each(|_| reload(&mut door));
    let before = (count("task"), count("fd"), memory());
    (0..100).for_each(|_| reload(&mut door));
    // How many of the four desks have opened the store is chance; each opens up to three files.
    let most = before.1 + 12;
    // The threads of the last one end after its answer.
    let start = Instant::now();
    while (count("task") > before.0 || count("fd") > most) && start.elapsed() < Duration::from_secs(30) {
        assert_eq!(door.get("/healthz").status, 200);
    }
    let after = (count("task"), count("fd"), memory());
    assert!(after.0 <= before.0 && after.1 <= most && after.2 < before.2 + (4 << 10), "{before:?} {after:?}");
}
