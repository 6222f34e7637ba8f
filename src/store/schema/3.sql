-- SQLite
-- Customers that otab has made and the helpdesk has not been told of yet (create.after_create).
CREATE TABLE newcomer (
    backend TEXT NOT NULL,
    customer TEXT NOT NULL, -- the login
    created_at INTEGER NOT NULL,
    PRIMARY KEY (backend, customer)
);

-- Who has come in by a link, until when. The secret is the browser's alone.
CREATE TABLE session (
    hash TEXT NOT NULL PRIMARY KEY, -- SHA-256 of the cookie's secret, in hex
    backend TEXT NOT NULL,
    customer TEXT NOT NULL,
    email TEXT NOT NULL,            -- the stored address when it began
    ticket_number TEXT,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL        -- the last request, to the minute
);
CREATE INDEX session_created_at ON session (created_at);
CREATE INDEX session_customer ON session (customer);

-- PostgreSQL
CREATE TABLE IF NOT EXISTS newcomer (
    backend TEXT NOT NULL,
    customer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (backend, customer)
);

CREATE TABLE IF NOT EXISTS session (
    hash TEXT NOT NULL PRIMARY KEY,
    backend TEXT NOT NULL,
    customer TEXT NOT NULL,
    email TEXT NOT NULL,
    ticket_number TEXT,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

CREATE INDEX IF NOT EXISTS session_created_at ON session (created_at);
CREATE INDEX IF NOT EXISTS session_customer ON session (customer);

-- MariaDB
CREATE TABLE IF NOT EXISTS newcomer (
    backend VARBINARY(1020) NOT NULL,
    customer VARBINARY(764) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (backend, customer)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS session (
    hash VARBINARY(64) NOT NULL PRIMARY KEY,
    backend VARBINARY(1020) NOT NULL,
    customer VARBINARY(764) NOT NULL,
    email VARBINARY(1020) NOT NULL,
    ticket_number VARBINARY(190),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    KEY (created_at),
    KEY (customer)
) ENGINE=InnoDB;
