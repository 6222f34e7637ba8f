//! The way from the door into the portal: one address, `/otab/enter?…`, on which the proxy asks who it is.
//!
//! Pure. It holds no secret, and a session leads to its own ticket's page alone.

use crate::text::percent;
use crate::ticket;

/// The path that belongs to the proxy.
pub(super) const PATH: &str = "/otab/enter";
/// Where the page's address comes.
const PAGE: &str = "{{page}}";

/// The portal's query for a login.
#[derive(Debug, Clone)]
pub struct HandOver {
    template: String,
}

impl HandOver {
    /// A query with `{{page}}` where the page that is wanted comes.
    #[must_use]
    pub fn new(template: &str) -> Self {
        Self { template: template.to_owned() }
    }

    /// The address for a ticket, or for the overview: path and query.
    #[must_use]
    pub fn address(&self, ticket: Option<&str>) -> String {
        // The number is encoded for the page's own query, and with it again.
        let overview = || "Action=CustomerTicketOverview;Subaction=MyTickets".to_owned();
        let page = ticket.map_or_else(overview, ticket::page);
        format!("{PATH}?{}", self.template.replacen(PAGE, &percent::encoded(&page), 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_leads_to_its_ticket_or_the_overview() {
        let otobo = HandOver::new("Action=Login;RequestedURL={{page}}");
        assert_eq!(
            otobo.address(Some("2026112010000012")),
            "/otab/enter?Action=Login;RequestedURL=Action%3DCustomerTicketZoom%3BTicketNumber%3D2026112010000012"
        );
        assert_eq!(
            otobo.address(None),
            "/otab/enter?Action=Login;RequestedURL=Action%3DCustomerTicketOverview%3BSubaction%3DMyTickets"
        );
        assert_eq!(HandOver::new("login=1").address(Some("1")), "/otab/enter?login=1");
    }

    #[test]
    fn no_number_of_a_ticket_gets_out_of_its_place() {
        let odd = HandOver::new("a={{page}}&b=c").address(Some("1;x=2&\r\n {{page}}"));
        assert_eq!(
            odd,
            "/otab/enter?a=Action%3DCustomerTicketZoom%3BTicketNumber%3D1%253Bx%253D2%2526%250D%250A%2520%257B%257Bpage%257D%257D&b=c"
        );
    }
}
