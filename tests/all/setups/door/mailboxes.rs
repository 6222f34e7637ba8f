//! Links of the package that are in mailboxes already: taken over, led to the door, and good for one use.

use super::front::{CAROL, PROXIES, TICKET};
use super::house::House;
use super::portal::CUSTOMER;

/// As the package makes them.
const TOKEN: &str = "Pq3vTz8LwXk2Rb6NdYc9Hs4J";
const OTHER: &str = "2026112010000025";

/// Takes one over from a table of the package's.
fn import(house: &House) {
    // On SQLite, otab reads no file that is not its own.
    let (path, package) = (house.site.path("otab.db"), house.site.database());
    let table = "CREATE TABLE ota_tokens (token VARCHAR(250), ticket_number VARCHAR(250), user VARCHAR(250), \
                 used SMALLINT, change_time DATETIME, create_time DATETIME)";
    package.execute(table, []).unwrap();
    let time = "2026-10-20 08:00:00";
    let row = "INSERT INTO ota_tokens VALUES (?1, ?2, ?3, 2, ?4, ?4)";
    package.execute(row, [TOKEN, OTHER, CAROL, time]).unwrap();
    let counts = house.otab(&["token", "import", "--json", "--from", &format!("sqlite:{}", path.display())]);
    let counts: serde_json::Value = serde_json::from_str(&counts).unwrap();
    assert_eq!(counts["rows"]["active"], 1, "{counts}");
}

#[test]
fn a_packages_link_opens_behind_each_proxy_unlogged() {
    for (name, start) in PROXIES {
        let house = House::new(start);
        // Carol is known by her first mail.
        house.ticket(TICKET);
        house.otab(&["ticket", "add", OTHER, "--message-id", "<old@corp.test>", "--customer", CAROL]);
        house.portal.ticket(OTHER, CAROL);
        import(&house);

        let path = format!("/t/{TOKEN}");
        for query in [
            format!("Action=CustomerTicketZoom;TicketNumber={OTHER};OTAToken={TOKEN}"),
            format!("Action=CustomerTicketZoom&TicketNumber={OTHER}&OTAToken={TOKEN}"),
            format!("OTAToken={TOKEN};Action=CustomerTicketZoom;TicketNumber={OTHER}"),
        ] {
            let led = house.client.get(&format!("{CUSTOMER}?{query}"), &[]);
            let place = led.header("location");
            let place = place.strip_prefix(&house.client.origin()).unwrap_or(place);
            assert_eq!((led.status, place), (303, path.as_str()), "{name} {query}: {led:?}");
            let page = house.client.get(place, &[]);
            assert!(page.status == 200 && page.body.contains(OTHER), "{name} {query}: {page:?}");
        }
        let entry = house.client.press(&path, &[], "do=open");
        assert_eq!(entry.status, 303, "{name}: {entry:?}");
        let login = house.client.get(entry.header("location"), &[("Cookie", &entry.cookie().unwrap())]);
        let ticket = house.client.get(login.header("location"), &[("Cookie", &login.cookie().unwrap())]);
        assert!(ticket.body.contains(&format!("ticket {OTHER} of {CAROL}")), "{name}: {ticket:?}");
        assert_eq!(house.client.press(&path, &[], "do=open").status, 410, "{name}");

        assert!(house.portal.seen().iter().all(|request| !format!("{request:?}").contains(TOKEN)), "{name}");
        let logs = house.logs();
        assert!(logs.contains(CUSTOMER) && logs.contains("door: open"), "{name}: {logs}");
        assert!(!logs.contains(TOKEN), "{name}: {logs}");
    }
}
