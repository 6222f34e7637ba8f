# Every mail for the helpdesk passes otab. What otab has let through goes into the folder Tickets.
# All else is kept, as Sieve does, but has no INBOX to be kept in (see the file users): 451.
#
# `if filter`, and never `filter` as a line of its own: that one goes on when otab has failed, with the
# mail as it came, UNPROTECTED.
require ["vnd.dovecot.filter", "fileinto", "mailbox"];

if filter "otab-filter" {
  fileinto :create "Tickets";
}
# No other script gets to see the mail.
stop;
