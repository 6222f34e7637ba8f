-- SQLite
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

-- PostgreSQL
-- otab's own tables on PostgreSQL, in a database of their own. What they hold is told in V*.sql. Times
-- are Unix seconds, except in the two tables that have OTOBO's shape. A text is what it is, byte for byte.

CREATE TABLE IF NOT EXISTS customer_user (
    id SERIAL PRIMARY KEY,
    login VARCHAR(191) NOT NULL UNIQUE,
    email VARCHAR(150) NOT NULL,
    customer_id VARCHAR(150) NOT NULL,
    pw VARCHAR(128),
    title VARCHAR(50),
    first_name VARCHAR(100) NOT NULL,
    last_name VARCHAR(100) NOT NULL,
    phone VARCHAR(150),
    fax VARCHAR(150),
    mobile VARCHAR(150),
    street VARCHAR(150),
    zip VARCHAR(200),
    city VARCHAR(200),
    country VARCHAR(200),
    comments VARCHAR(250),
    valid_id SMALLINT NOT NULL,
    create_time TIMESTAMP (0) NOT NULL,
    create_by INTEGER NOT NULL,
    change_time TIMESTAMP (0) NOT NULL,
    change_by INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS customer_preferences (
    user_id VARCHAR(191) NOT NULL,
    preferences_key VARCHAR(150) NOT NULL,
    preferences_value VARCHAR(250)
);

CREATE TABLE IF NOT EXISTS ticket (
    tn TEXT NOT NULL PRIMARY KEY,
    message_id TEXT,
    state_type TEXT NOT NULL CHECK (state_type IN
        ('new', 'open', 'closed', 'pending reminder', 'pending auto', 'removed', 'merged')),
    changed_at BIGINT NOT NULL,
    customer_user_id TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS token (
    id BIGSERIAL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    mail_key TEXT UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'used', 'revoked')),
    customer TEXT NOT NULL,
    email TEXT NOT NULL,
    backend TEXT NOT NULL,
    message_id TEXT,
    ticket_number TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS outbox (
    id BIGSERIAL PRIMARY KEY,
    token_id BIGINT REFERENCES token (id) ON DELETE CASCADE,
    secret TEXT,
    recipient TEXT NOT NULL,
    customer TEXT NOT NULL,
    backend TEXT NOT NULL,
    occasion TEXT NOT NULL CHECK (occasion IN ('new', 'refresh')),
    language TEXT,
    message_id TEXT,
    ticket_number TEXT,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    unanswered INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
);

CREATE TABLE IF NOT EXISTS sent (
    recipient TEXT NOT NULL,
    domain TEXT NOT NULL,
    sent_at BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS worker (
    task VARCHAR(60) NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);

CREATE INDEX IF NOT EXISTS customer_user_email ON customer_user (LOWER(email));
CREATE INDEX IF NOT EXISTS customer_preferences_user_id ON customer_preferences (user_id);
CREATE INDEX IF NOT EXISTS ticket_message_id ON ticket (message_id);
CREATE INDEX IF NOT EXISTS token_ticket_number ON token (ticket_number, customer);
CREATE INDEX IF NOT EXISTS token_message_id ON token (message_id, customer);
CREATE INDEX IF NOT EXISTS token_customer ON token (customer);
CREATE INDEX IF NOT EXISTS outbox_token_id ON outbox (token_id);
CREATE INDEX IF NOT EXISTS outbox_due_at ON outbox (due_at);
CREATE INDEX IF NOT EXISTS sent_sent_at ON sent (sent_at);

-- MariaDB
-- otab's own tables on MariaDB and MySQL, in a database of their own. What they hold is told in V*.sql. Times
-- are Unix seconds, except in the two tables that have OTOBO's shape. Texts of otab's own are bytes here: no
-- collation calls two of them equal, and no trailing blank is overlooked.

CREATE TABLE IF NOT EXISTS customer_user (
    id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
    login VARCHAR(191) NOT NULL UNIQUE,
    email VARCHAR(150) NOT NULL,
    customer_id VARCHAR(150) NOT NULL,
    pw VARCHAR(128),
    title VARCHAR(50),
    first_name VARCHAR(100) NOT NULL,
    last_name VARCHAR(100) NOT NULL,
    phone VARCHAR(150),
    fax VARCHAR(150),
    mobile VARCHAR(150),
    street VARCHAR(150),
    zip VARCHAR(200),
    city VARCHAR(200),
    country VARCHAR(200),
    comments VARCHAR(250),
    valid_id SMALLINT NOT NULL,
    create_time DATETIME NOT NULL,
    create_by INTEGER NOT NULL,
    change_time DATETIME NOT NULL,
    change_by INTEGER NOT NULL
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS customer_preferences (
    user_id VARCHAR(191) NOT NULL,
    preferences_key VARCHAR(150) NOT NULL,
    preferences_value VARCHAR(250),
    KEY (user_id)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ticket (
    tn VARBINARY(190) NOT NULL PRIMARY KEY,
    message_id VARBINARY(990),
    state_type VARBINARY(20) NOT NULL CHECK (state_type IN
        ('new', 'open', 'closed', 'pending reminder', 'pending auto', 'removed', 'merged')),
    changed_at BIGINT NOT NULL,
    customer_user_id VARBINARY(764),
    created_at BIGINT NOT NULL,
    KEY (message_id)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS token (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    hash VARBINARY(64) NOT NULL UNIQUE,
    mail_key VARBINARY(64) UNIQUE,
    state VARBINARY(20) NOT NULL CHECK (state IN ('pending', 'active', 'used', 'revoked')),
    customer VARBINARY(764) NOT NULL,
    email VARBINARY(1020) NOT NULL,
    backend VARBINARY(1020) NOT NULL,
    message_id VARBINARY(990),
    ticket_number VARBINARY(190),
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    KEY (ticket_number, customer),
    KEY (message_id, customer),
    KEY (customer)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS outbox (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    token_id BIGINT,
    secret VARBINARY(190),
    recipient VARBINARY(1020) NOT NULL,
    customer VARBINARY(764) NOT NULL,
    backend VARBINARY(1020) NOT NULL,
    occasion VARBINARY(20) NOT NULL CHECK (occasion IN ('new', 'refresh')),
    language VARBINARY(190),
    message_id VARBINARY(990),
    ticket_number VARBINARY(190),
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    unanswered INTEGER NOT NULL DEFAULT 0,
    last_error BLOB,
    KEY (due_at),
    FOREIGN KEY (token_id) REFERENCES token (id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS sent (
    recipient VARBINARY(1020) NOT NULL,
    domain VARBINARY(1020) NOT NULL,
    sent_at BIGINT NOT NULL,
    KEY (sent_at)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS worker (
    task VARCHAR(60) NOT NULL PRIMARY KEY,
    holder VARBINARY(1020) NOT NULL,
    until BIGINT NOT NULL
) ENGINE=InnoDB;
