//! What a link mail looks like, to Python's email package and as bytes; and what it never holds.

use crate::site::{CAROL, Ended, Read, Site, run};

fn german() -> (Site, Read) {
    let desk = Site::linking();
    desk.configure("[one_time_auth]\n", "[one_time_auth]\nlanguage = \"de\"\n");
    desk.carols_link();
    let mail = desk.last();
    (desk, mail)
}

#[test]
fn another_reader_finds_two_good_forms_of_one_text() {
    let (desk, mail) = german();
    assert_eq!(mail.json["defects"], serde_json::json!([]), "{}", mail.raw);
    assert_eq!(mail.json["type"], "multipart/alternative");
    let parts = mail.json["parts"].as_array().unwrap();
    let types: Vec<_> = parts.iter().map(|part| (&part["type"], &part["charset"])).collect();
    assert_eq!(types, [(&"text/plain".into(), &"utf-8".into()), (&"text/html".into(), &"utf-8".into())]);
    assert_eq!(mail.field("From"), "Hilfe für alle <help@desk.test>");
    assert_eq!(mail.field("Subject"), "Ihr Zugang zu Ihrer Anfrage 1");
    assert_eq!(mail.field("MIME-Version"), "1.0");
    for part in 0..2 {
        assert!(mail.part(part).contains("Hilfe für alle") && mail.part(part).contains(mail.link()), "{}", mail.raw);
    }
    assert!(mail.raw.is_ascii(), "7 bit for every mail server");
    assert!(mail.raw.lines().all(|line| line.len() <= 78), "{}", mail.raw);
    assert_eq!(desk.orders(), 0);
}

#[test]
fn the_link_is_alone_on_a_short_line_of_bytes() {
    let (_, mail) = german();
    assert_eq!(mail.raw.lines().filter(|line| *line == mail.link()).count(), 1, "{}", mail.raw);
    // The longest that the settings allow, and one with a sign that quoted-printable writes as three.
    for url in [format!("https://help.test/{}/", "x".repeat(34)), format!("https://help.test/{}?t=", "x".repeat(30))] {
        let desk = Site::linking();
        desk.configure("https://help.test/t/", &url);
        desk.carols_link();
        let line = format!("{url}{}", &desk.last().link()[url.len()..]);
        let raw = desk.last().raw.replace("=3D", "=");
        assert!(raw.lines().any(|raw| raw == line), "{raw}");
    }
}

#[test]
fn every_program_is_told_that_a_program_wrote_it() {
    let (_, mail) = german();
    assert_eq!(mail.field("Auto-Submitted"), "auto-replied");
    assert_eq!(mail.field("X-Auto-Response-Suppress"), "All");
    assert_eq!(mail.field("X-Loop"), "otab");
    assert_eq!(mail.field("To"), CAROL);
    assert_eq!((mail.field("In-Reply-To"), mail.field("References")), ("<1@corp.test>", "<1@corp.test>"));
    let id = mail.field("Message-ID");
    assert!(id.starts_with("<otab.") && id.ends_with("@desk.test>"), "{id}");
    let now = f64::from(i32::try_from(otab::clock::now().as_second()).unwrap());
    assert!((now - mail.json["date"].as_f64().unwrap()).abs() < 60.0, "{}", mail.raw);
    for name in ["Reply-To", "Sender", "Cc", "Bcc", "Return-Path"] {
        assert!(!mail.has(name), "{name}");
    }
}

#[test]
fn nothing_that_the_sender_chose_is_in_the_mail() {
    let desk = Site::linking();
    let hostile = [
        "Message-ID: <1@corp.test>\r\n X: evil",
        "Message-ID: \"evil\" <1@corp.test>",
        "Message-ID: <=?utf-8?q?evil?=@corp.test>",
        "Message-ID: <evil@corp.test> <evil2@corp.test>",
        "Message-ID: evil@corp.test",
        "Message-ID: <\"evil\"@corp.test>",
        "Message-ID: <evil(x)@corp.test>",
        "Message-ID: <ev\u{ef}l@corp.test>",
        &format!("Message-ID: <{}@corp.test>", "evil".repeat(225)),
        "References: <evil@corp.test>",
    ];
    for (number, field) in hostile.iter().enumerate() {
        let mail = format!(
            "From: Evil {{{{link}}}} <s{number}@corp.test>\nReply-To: evil@evil.test\nSubject: evil\n\
             Content-Language: evil\n{field}\nTo: evil-help@desk.test\n\nevil\n"
        );
        desk.takes(mail.as_bytes());
        assert_eq!(desk.notify(), 0);
        assert_eq!(desk.files().len(), number + 1, "{field}: {}", desk.log());
        let mail = desk.last();
        assert!(!mail.raw.to_lowercase().contains("evil") && !mail.raw.contains("X:"), "{field}: {}", mail.raw);
        assert_eq!(mail.json["defects"], serde_json::json!([]), "{field}: {}", mail.raw);
        let is_answer = mail.has("In-Reply-To");
        assert!(!is_answer || mail.field("In-Reply-To") == "<1@corp.test>", "{field}: {}", mail.raw);
    }
    // The longest strict one is answered whole.
    let id = format!("{}@corp.test", "x".repeat(239));
    desk.mails_of_carol(&[&id]);
    desk.notify();
    assert_eq!(desk.last().field("In-Reply-To"), format!("<{id}>"), "{}", desk.last().raw);
}

#[test]
fn a_reply_to_gets_no_link_mail() {
    let desk = Site::linking();
    let mail =
        format!("From: {CAROL}\nReply-To: mallory@evil.test\nSender: mallory@evil.test\nMessage-ID: <1@x.test>\n\nx\n");
    run(&mut desk.command(&["filter", "--sender", "mallory@evil.test"]), mail.as_bytes()).ends(0);
    desk.notify();
    assert_eq!(desk.last().field("To"), CAROL);
    assert!(!desk.last().raw.contains("mallory"));
}

#[test]
fn odd_names_of_the_site_arrive_as_they_are_written() {
    for name in
        ["Desk \\\"A\\\" \\\\ B", "=?utf-8?q?x?=", "Müller, Meier & <Co>", "a@b.test, c@d.test", "日本語のヘルプデスク"]
    {
        let desk = Site::linking();
        desk.configure("from_name = \"Hilfe für alle\"", &format!("from_name = \"{name}\""));
        desk.configure("site_name = \"Hilfe für alle\"", &format!("site_name = \"{name}\""));
        desk.carols_link();
        let mail = desk.last();
        let name = name.replace("\\\"", "\"").replace("\\\\", "\\");
        let from: Vec<&str> = mail.field("From").rsplitn(2, ' ').collect();
        assert_eq!(from[0], "<help@desk.test>", "{name}: {}", mail.raw);
        let read = from[1].trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
        assert_eq!(read, name, "{}", mail.raw);
        assert!(mail.part(0).contains(&name), "{}", mail.raw);
        assert_eq!(mail.json["defects"], serde_json::json!([]), "{name}: {}", mail.raw);
    }
}

#[test]
fn odd_ticket_numbers_are_text_in_mail_and_address() {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.ends(0, &["ticket", "add", "7&<b>;x=1", "--message-id", "1@corp.test", "--customer", CAROL]);
    desk.notify();
    assert!(desk.last().part(1).contains("7&amp;&lt;b&gt;;x&#x3D;1"), "{}", desk.last().part(1));
    desk.sql("UPDATE customer_user SET pw = 'x'");
    let told = desk.json(0, &["link", "--ticket", "7&<b>;x=1", "--customer", CAROL]);
    assert_eq!(
        told["link"],
        "https://help.test/otobo/customer.pl?Action=CustomerTicketZoom;TicketNumber=7%26%3Cb%3E%3Bx%3D1"
    );
}

#[test]
fn own_templates_are_used_and_bad_ones_stop_sending() {
    let desk = Site::linking();
    desk.configure(
        "[one_time_auth]\n",
        "[one_time_auth]\ntemplates = \"templates\"\ntoken_refresh_notification_id = \"again\"\n",
    );
    std::fs::create_dir(desk.path("templates")).unwrap();
    desk.write("templates/new.en.subject", "Welcome to {{site_name}}");
    desk.write("templates/again.en.txt", "Again:\n{{link}}\n");
    desk.write("templates/new.fr.txt", "only a part of a language");
    let token = desk.carols_link();
    assert_eq!(desk.last().field("Subject"), "Welcome to Hilfe für alle");
    desk.json(0, &["redeem", &token]);
    desk.json(12, &["redeem", &token]);
    desk.write("templates/new.en.html", "{{customer}}");
    desk.mails_of_carol(&["2@corp.test"]);
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (78, 1, 2));
    desk.logged(&["new.en.html", "`customer` is no variable"]);
    // A subject that becomes empty is found only when it is rendered: the others go out.
    desk.write("templates/new.en.html", "");
    desk.write("templates/new.en.subject", "{{#if ticket_number}}x{{/if}}");
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 2, 1), "{}", desk.log());
    desk.logged(&["tried again", "new.en.subject"]);
    assert!(desk.last().part(0).starts_with("Again:\n"));
}
