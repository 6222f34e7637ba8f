-- The helpdesk's tables as otab meets them on PostgreSQL: the project's own, from what is known of OTOBO.
-- A text holds no NUL here, and unique is case-sensitive.

CREATE TABLE valid (
    id SMALLSERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(191) NOT NULL UNIQUE
);
INSERT INTO valid (id, name) VALUES (1, 'valid'), (2, 'invalid'), (3, 'invalid-temporarily');

CREATE TABLE users (
    id SERIAL NOT NULL PRIMARY KEY,
    login VARCHAR(191) NOT NULL UNIQUE
);
INSERT INTO users (id, login) VALUES (1, 'root@localhost');

CREATE TABLE customer_user (
    id SERIAL NOT NULL PRIMARY KEY,
    login VARCHAR(191) NOT NULL UNIQUE,
    email VARCHAR(150) NOT NULL,
    customer_id VARCHAR(150) NOT NULL,
    pw VARCHAR(128) NULL,
    title VARCHAR(50) NULL,
    first_name VARCHAR(100) NOT NULL,
    last_name VARCHAR(100) NOT NULL,
    phone VARCHAR(150) NULL,
    fax VARCHAR(150) NULL,
    mobile VARCHAR(150) NULL,
    street VARCHAR(150) NULL,
    zip VARCHAR(200) NULL,
    city VARCHAR(200) NULL,
    country VARCHAR(200) NULL,
    comments VARCHAR(250) NULL,
    valid_id SMALLINT NOT NULL,
    create_time TIMESTAMP (0) NOT NULL,
    create_by INTEGER NOT NULL,
    change_time TIMESTAMP (0) NOT NULL,
    change_by INTEGER NOT NULL,
    FOREIGN KEY (valid_id) REFERENCES valid (id),
    FOREIGN KEY (create_by) REFERENCES users (id),
    FOREIGN KEY (change_by) REFERENCES users (id)
);

CREATE TABLE customer_preferences (
    user_id VARCHAR(191) NOT NULL,
    preferences_key VARCHAR(150) NOT NULL,
    preferences_value VARCHAR(250) NULL
);
CREATE INDEX customer_preferences_user_id ON customer_preferences (user_id);

CREATE TABLE ticket_state_type (
    id SMALLSERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(191) NOT NULL UNIQUE
);
INSERT INTO ticket_state_type (id, name) VALUES (1, 'new'), (2, 'open'), (3, 'closed'), (4, 'pending reminder'),
    (5, 'pending auto'), (6, 'removed'), (7, 'merged');

CREATE TABLE ticket_state (
    id SMALLSERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(191) NOT NULL UNIQUE,
    type_id SMALLINT NOT NULL,
    valid_id SMALLINT NOT NULL,
    FOREIGN KEY (type_id) REFERENCES ticket_state_type (id)
);
INSERT INTO ticket_state (id, name, type_id, valid_id) VALUES (1, 'new', 1, 1), (2, 'closed successful', 3, 1),
    (3, 'closed unsuccessful', 3, 1), (4, 'open', 2, 1), (5, 'removed', 6, 1), (6, 'pending reminder', 4, 1),
    (7, 'pending auto close+', 5, 1), (8, 'pending auto close-', 5, 1), (9, 'merged', 7, 1);

CREATE TABLE ticket (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    tn VARCHAR(50) NOT NULL UNIQUE,
    title VARCHAR(191) NULL,
    ticket_state_id SMALLINT NOT NULL,
    customer_id VARCHAR(150) NULL,
    customer_user_id VARCHAR(191) NULL,
    create_time TIMESTAMP (0) NOT NULL,
    change_time TIMESTAMP (0) NOT NULL,
    FOREIGN KEY (ticket_state_id) REFERENCES ticket_state (id)
);

CREATE TABLE ticket_history (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    history_type_id SMALLINT NOT NULL,
    ticket_id BIGINT NOT NULL,
    state_id SMALLINT NOT NULL,
    create_time TIMESTAMP (0) NOT NULL,
    FOREIGN KEY (ticket_id) REFERENCES ticket (id),
    FOREIGN KEY (state_id) REFERENCES ticket_state (id)
);
CREATE INDEX ticket_history_ticket_id ON ticket_history (ticket_id);

CREATE TABLE article (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    ticket_id BIGINT NOT NULL,
    FOREIGN KEY (ticket_id) REFERENCES ticket (id)
);
CREATE INDEX article_ticket_id ON article (ticket_id);

CREATE TABLE article_data_mime (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL,
    a_message_id VARCHAR(3800) NULL,
    a_message_id_md5 VARCHAR(32) NULL,
    FOREIGN KEY (article_id) REFERENCES article (id)
);
CREATE INDEX article_data_mime_message_id_md5 ON article_data_mime (a_message_id_md5);

-- Settings as they come, and as the site has changed them: the value is a document of YAML.
CREATE TABLE sysconfig_default (
    id SERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(250) NOT NULL UNIQUE,
    is_valid SMALLINT NOT NULL,
    effective_value TEXT NOT NULL
);
INSERT INTO sysconfig_default (name, is_valid, effective_value) VALUES
    ('PostMaster::PreFilterModule###000-CreateCustomerUser', 0, '---
CustomerUserBackend: CustomerUser
'),
    ('Ticket::Hook', 1, '--- Ticket#
'),
    ('Ticket::HookDivider', 1, '--- ''''
'),
    ('SystemID', 1, '--- ''10''
'),
    ('OTOBOTimeZone', 1, '--- UTC
');

CREATE TABLE sysconfig_modified (
    id SERIAL NOT NULL PRIMARY KEY,
    sysconfig_default_id INTEGER NOT NULL,
    name VARCHAR(250) NOT NULL,
    user_id INTEGER NULL,
    is_valid SMALLINT NOT NULL,
    effective_value TEXT NOT NULL
);

CREATE TABLE mail_account (
    id SERIAL NOT NULL PRIMARY KEY,
    login VARCHAR(200) NOT NULL,
    host VARCHAR(200) NOT NULL,
    account_type VARCHAR(20) NOT NULL,
    queue_id INTEGER NOT NULL,
    trusted SMALLINT NOT NULL,
    valid_id SMALLINT NOT NULL
);

CREATE TABLE system_address (
    id SERIAL NOT NULL PRIMARY KEY,
    value0 VARCHAR(200) NOT NULL,
    value1 VARCHAR(200) NOT NULL,
    valid_id SMALLINT NOT NULL
);

CREATE TABLE notification_event (
    id SERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL UNIQUE,
    valid_id SMALLINT NOT NULL
);

CREATE TABLE notification_event_message (
    id SERIAL NOT NULL PRIMARY KEY,
    notification_id INTEGER NOT NULL,
    subject VARCHAR(200) NOT NULL,
    text VARCHAR(4000) NOT NULL,
    content_type VARCHAR(250) NOT NULL,
    language VARCHAR(60) NOT NULL,
    UNIQUE (notification_id, language)
);

-- Texts of mails that the helpdesk writes.
CREATE TABLE auto_response (
    id SERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(191) NOT NULL UNIQUE,
    text0 VARCHAR(6000) NULL,
    text1 VARCHAR(6000) NULL,
    valid_id SMALLINT NOT NULL
);

CREATE TABLE standard_template (
    id SERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(191) NOT NULL UNIQUE,
    text VARCHAR(10000) NULL,
    valid_id SMALLINT NOT NULL
);

CREATE TABLE signature (
    id SERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(191) NOT NULL UNIQUE,
    text VARCHAR(3000) NOT NULL,
    valid_id SMALLINT NOT NULL
);

CREATE TABLE salutation (
    id SERIAL NOT NULL PRIMARY KEY,
    name VARCHAR(191) NOT NULL UNIQUE,
    text VARCHAR(3000) NOT NULL,
    valid_id SMALLINT NOT NULL
);

-- Companies: what a customer's customer_id may name.
CREATE TABLE customer_company (
    customer_id VARCHAR(150) NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    valid_id SMALLINT NOT NULL
);
