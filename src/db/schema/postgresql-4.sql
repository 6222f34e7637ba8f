CREATE TABLE IF NOT EXISTS link_mail (
    message_id TEXT NOT NULL PRIMARY KEY,
    sent_at BIGINT NOT NULL
);

CREATE INDEX IF NOT EXISTS link_mail_sent_at ON link_mail (sent_at);
