//! What pages show and say: fields of every answer, languages, style and logo.

use super::{Door, closed};

const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[test]
fn every_answer_has_the_fields_that_protect_it() {
    let door = Door::with("requests_per_minute = 0\nwrong_tokens_per_hour = 0\n");
    let path = door.link();
    let unused = door.get(&path);
    // Its policy holds for the way on: the portal is not told the address of the page with the form.
    let entry = door.press(&path, "open", None);
    assert_eq!(entry.status, 303, "{entry:?}");
    let logout = door.client.ask("GET", "/otab/logout", &[("Sec-Fetch-Site", "none")], b"");
    let forms = [unused, logout, door.get(&path)];
    for form in &forms {
        assert_eq!(form.field("referrer-policy"), Some("same-origin"), "{form:?}");
    }
    let others = [
        entry,
        door.get("/otab/ended"),
        door.get("/otab/logout"),
        door.get("/"),
        door.get("/t/never"),
        door.get("/auth"),
        door.get("/healthz"),
        door.get("/otab/enter"),
        door.get("/otab/logo"),
        door.press("/otab/logout", "", None),
        door.client.ask("PUT", &path, &[], b""),
        door.client.ask("POST", &path, &[], b""),
    ];
    for other in &others {
        assert_eq!(other.field("referrer-policy"), Some("no-referrer"), "{other:?}");
    }
    for answer in forms.iter().chain(&others) {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex, nofollow"),
            ("x-frame-options", "DENY"),
            ("content-security-policy", POLICY),
        ] {
            assert_eq!(answer.field(name), Some(value), "{answer:?}");
        }
        assert_eq!((answer.field("strict-transport-security"), answer.field("server")), (None, None));
    }
}

#[test]
fn browsers_keep_style_and_logo_by_their_tags() {
    let desk = closed("accent = \"#ffcc00\"\nlogo = \"logo.svg\"\n");
    desk.write("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
    desk.mails_of_carol(&["1@corp.test"]);
    let door = Door::of(desk);
    for (path, kind) in [("/otab/style.css", "text/css; charset=utf-8"), ("/otab/logo", "image/svg+xml")] {
        let file = door.get(path);
        assert_eq!((file.status, file.field("content-type")), (200, Some(kind)), "{file:?}");
        assert_eq!(file.field("cache-control"), Some("public, max-age=3600"));
        assert_eq!(file.field("content-security-policy"), Some(POLICY));
        let tag = file.field("etag").unwrap();
        let same = door.client.ask("GET", path, &[("If-None-Match", &format!("\"x\", W/{tag}"))], b"");
        assert_eq!((same.status, same.body.as_str()), (304, ""));
        assert_eq!(door.client.ask("GET", path, &[("If-None-Match", "\"x\"")], b"").status, 200);
    }
    assert!(door.get("/otab/style.css").body.contains("--accent: #ffcc00;"));
    let page = door.get(&door.link());
    assert!(page.body.contains("<img class=\"logo\" src=\"/otab/logo\" alt=\"Hilfe für alle\">"), "{page:?}");
}

#[test]
fn a_page_is_in_the_customers_language_first() {
    let door = Door::open();
    let path = door.link();
    let heading = |accepted: &str| {
        let page = door.client.ask("GET", &path, &[("Accept-Language", accepted)], b"");
        assert!(page.body.contains(&format!("<html lang=\"{}\">", page.field("content-language").unwrap())));
        page.heading().to_owned()
    };
    assert_eq!(heading("de-AT, en;q=0.5"), "Ihre Anfrage öffnen");
    assert_eq!(heading("fr, en;q=0.5, de;q=0.4"), "Open your request");
    assert_eq!(door.get(&path).heading(), "Open your request");
    door.desk.sql(
        "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) \
         VALUES ('carol@corp.test', 'UserLanguage', 'de')",
    );
    assert_eq!(heading("en"), "Ihre Anfrage öffnen");
    let (_, serving) = {
        door.desk.configure("[one_time_auth]\n", "[one_time_auth]\nlanguage = \"de\"\n");
        door.another()
    };
    drop(serving);
    let never = door.client.ask("GET", "/t/never", &[("Accept-Language", "de")], b"");
    assert!(never.body.contains("Dieser Link ist nicht mehr gültig: "), "{never:?}");
}

#[test]
fn own_words_and_pages_replace_the_built_in_ones() {
    let desk = closed(
        "templates = \"pages\"\n[one_time_auth.messages.en]\n\
         customer_error_message_link_expired = \"Gone <for good>.\\n\\nWrite to us.\"\n",
    );
    std::fs::create_dir(desk.path("pages")).unwrap();
    desk.write("pages/texts.en.toml", "[expired]\nheading = \"Over & out\"\n");
    desk.mails_of_carol(&["1@corp.test"]);
    let door = Door::of(desk);
    let page = door.get("/t/never");
    assert_eq!(page.heading(), "Over &amp; out");
    assert!(page.body.contains("<p>Gone &lt;for good&gt;.</p>\n<p>Write to us.</p>"), "{page:?}");
}
