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
