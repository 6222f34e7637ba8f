# Every mail for the helpdesk passes otab. What otab has let through goes into the folder Tickets, all
# else into INBOX. There is none (see the file users), so Dovecot answers 451.
#
# `if filter`, and never `filter` as a line of its own: that one goes on when otab has failed, with the
# mail as it came, UNPROTECTED.
require ["vnd.dovecot.filter", "fileinto", "mailbox"];

if filter "otab-filter" {
  fileinto :create "Tickets";
} else {
  # Not keep or stop: the next script would run (sieve_after), and get the mail UNPROTECTED.
  fileinto "INBOX";
}
