-- Link mails of the last hour, for the caps.
CREATE TABLE sent (
    recipient TEXT NOT NULL,
    domain TEXT NOT NULL,
    sent_at INTEGER NOT NULL
);
CREATE INDEX sent_sent_at ON sent (sent_at);

-- Who works at something that only one may work at, and until when others have to leave it to him.
CREATE TABLE worker (
    task TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
);

-- How often the mail went out whole and no answer came: the mail server may have it.
ALTER TABLE outbox ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
