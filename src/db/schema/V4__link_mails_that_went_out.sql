-- The Message-IDs of link mails that a mail server was given: what answers one of them earns no other.
CREATE TABLE link_mail (
    message_id TEXT NOT NULL PRIMARY KEY, -- with its `<>`
    sent_at INTEGER NOT NULL
);
CREATE INDEX link_mail_sent_at ON link_mail (sent_at);
