-- SQLite
-- No number of a token is given out again once its row is gone. A column cannot become AUTOINCREMENT, so the table is made
-- anew, and first the one that refers to it: dropping a table deletes its rows, and theirs with them.
CREATE TABLE outbox_rows AS SELECT * FROM outbox;
DROP TABLE outbox;
CREATE TABLE token_rows AS SELECT * FROM token;
DROP TABLE token;

CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE, -- SHA-256 of the secret's text, in hex
    mail_key TEXT UNIQUE,      -- SHA-256 over the mail's identity and its sender
    state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'used', 'revoked')),
    customer TEXT NOT NULL,    -- the login
    email TEXT NOT NULL,       -- the stored address when the token was issued
    backend TEXT NOT NULL,
    message_id TEXT,
    ticket_number TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
);
INSERT INTO token SELECT * FROM token_rows;
DROP TABLE token_rows;
CREATE INDEX token_ticket_number ON token (ticket_number, customer);
CREATE INDEX token_message_id ON token (message_id, customer);
CREATE INDEX token_customer ON token (customer);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    token_id INTEGER REFERENCES token (id) ON DELETE CASCADE,
    secret TEXT, -- the only place that holds a secret, until a mail server has taken the mail
    recipient TEXT NOT NULL,
    customer TEXT NOT NULL,
    backend TEXT NOT NULL,
    occasion TEXT NOT NULL CHECK (occasion IN ('new', 'refresh')),
    language TEXT,
    message_id TEXT,
    ticket_number TEXT,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    unanswered INTEGER NOT NULL DEFAULT 0
);
INSERT INTO outbox SELECT * FROM outbox_rows;
DROP TABLE outbox_rows;
CREATE INDEX outbox_token_id ON outbox (token_id);
CREATE INDEX outbox_due_at ON outbox (due_at);

-- PostgreSQL
-- A sequence never goes back.

-- MariaDB
-- The counter of an InnoDB table outlives a restart (MariaDB from 10.2.4 on, MySQL from 8.0 on).
