# Instead of otab.sieve: no folder and no IMAP, the mail goes straight into the ticket system. If otab
# or the ticket system fails, the mail would be kept, has no INBOX to be kept in (see the file users),
# and Dovecot answers 451: the mail server tries again.
#
# In the file users: userdb_sieve_before=/etc/dovecot/otab/pipe.sieve, and as user whoever may run the
# ticket system's console. Never `pipe :copy`: the mail would arrive, and be tried again for ever.
require "vnd.dovecot.pipe";

pipe "otab-deliver";
