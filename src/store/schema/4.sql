-- SQLite
-- The Message-IDs of link mails that a mail server was given: what answers one of them earns no other.
CREATE TABLE link_mail (
    message_id TEXT NOT NULL PRIMARY KEY, -- with its `<>`
    sent_at INTEGER NOT NULL
);
CREATE INDEX link_mail_sent_at ON link_mail (sent_at);

-- PostgreSQL
CREATE TABLE IF NOT EXISTS link_mail (
    message_id TEXT NOT NULL PRIMARY KEY,
    sent_at BIGINT NOT NULL
);

CREATE INDEX IF NOT EXISTS link_mail_sent_at ON link_mail (sent_at);

-- MariaDB
CREATE TABLE IF NOT EXISTS link_mail (
    message_id VARBINARY(990) NOT NULL PRIMARY KEY,
    sent_at BIGINT NOT NULL,
    KEY (sent_at)
) ENGINE=InnoDB;
