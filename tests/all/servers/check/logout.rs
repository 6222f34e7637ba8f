//! Whether logging out of the helpdesk ends the door's session, as far as the helpdesk's database says.

use super::super::PLACES;
use super::{desk, modified};

const NAME: &str = "CustomerPanelLogoutURL";

#[test]
fn a_logout_that_does_not_lead_to_the_door_is_noted() {
    for desk in PLACES.map(desk) {
        assert!(!desk.check().has("note", "logout", ""), "there is no door");
        desk.append("[door]\nbase_url = \"https://help.test\"\n");
        let remedy = "set CustomerPanelLogoutURL to /otab/logout";
        desk.check().finds("note", "logout", "CustomerPanelLogoutURL is not set in the helpdesk", remedy);
        for (yaml, is_valid, says) in [
            ("--- http://host.example.com/thanks.html\n", 0, "is not set"),
            ("--- https://example.org/\n", 1, "is \"https://example.org/\""),
            ("--- /otab/logout/\n", 1, "is \"/otab/logout/\""),
            ("--- https://evil.test/otab/logout\n", 1, "is \"https://evil.test/otab/logout\""),
            ("--- ''\n", 1, "is \"\""),
        ] {
            modified(&desk, NAME, None, is_valid, yaml);
            desk.check().finds("note", "logout", says, remedy);
        }
        for yaml in ["--- /otab/logout\n", "--- '/otab/logout'\n", "--- https://help.test/otab/logout\n"] {
            modified(&desk, NAME, None, 1, yaml);
            let checked = desk.check();
            checked.finds("ok", "logout", "leads to the door", "");
            assert!(!checked.has("note", "logout", ""), "{:#?}", checked.findings);
        }
        desk.sql("ALTER TABLE sysconfig_modified RENAME TO gone");
        desk.check().finds("note", "logout", "cannot be read", "GRANT SELECT ON sysconfig_modified, sysconfig_default");
    }
}
