-- SQLite
-- The embedded database. Times are Unix seconds, except in the two tables that have OTOBO's shape.

CREATE TABLE customer_user (
    id INTEGER PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    pw TEXT,
    title TEXT,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    phone TEXT,
    fax TEXT,
    mobile TEXT,
    street TEXT,
    zip TEXT,
    city TEXT,
    country TEXT,
    comments TEXT,
    valid_id INTEGER NOT NULL,
    create_time TEXT NOT NULL,
    create_by INTEGER NOT NULL,
    change_time TEXT NOT NULL,
    change_by INTEGER NOT NULL
);
CREATE INDEX customer_user_email ON customer_user (LOWER(email));
CREATE INDEX customer_user_login ON customer_user (LOWER(login));
CREATE INDEX customer_user_customer_id ON customer_user (LOWER(customer_id));

-- The few rows whose text LOWER() cannot compare broadly: other than printable ASCII (GLOB stops at
-- a NUL, the lengths do not), or with blanks around. customer/sql.rs asks with the very same words.
CREATE INDEX customer_user_odd_login ON customer_user (login)
    WHERE login GLOB '*[^ -~]*' OR LENGTH(CAST(login AS BLOB)) <> LENGTH(TRIM(login));
CREATE INDEX customer_user_odd_customer_id ON customer_user (customer_id)
    WHERE customer_id GLOB '*[^ -~]*' OR LENGTH(CAST(customer_id AS BLOB)) <> LENGTH(TRIM(customer_id));
-- LOWER() folds ASCII letters only: addresses with an international domain in capitals.
CREATE INDEX customer_user_odd_email ON customer_user (email) WHERE email GLOB '*[^ -~]*';

CREATE TABLE customer_preferences (
    user_id TEXT NOT NULL,
    preferences_key TEXT NOT NULL,
    preferences_value TEXT
);
CREATE INDEX customer_preferences_user_id ON customer_preferences (user_id);

CREATE TABLE ticket (
    tn TEXT NOT NULL PRIMARY KEY,
    message_id TEXT,
    state_type TEXT NOT NULL CHECK (state_type IN
        ('new', 'open', 'closed', 'pending reminder', 'pending auto', 'removed', 'merged')),
    changed_at INTEGER NOT NULL,
    customer_user_id TEXT,
    created_at INTEGER NOT NULL
);
CREATE INDEX ticket_message_id ON ticket (message_id);

CREATE TABLE token (
    id INTEGER PRIMARY KEY,
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
    last_error TEXT
);
CREATE INDEX outbox_token_id ON outbox (token_id);
CREATE INDEX outbox_due_at ON outbox (due_at);
