-- The helpdesk's tables as otab meets them on MariaDB: the project's own, from what is known of OTOBO.
-- Charset and collation are the database's.

CREATE TABLE valid (
    id SMALLINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(191) NOT NULL UNIQUE
) ENGINE=InnoDB;
INSERT INTO valid (id, name) VALUES (1, 'valid'), (2, 'invalid'), (3, 'invalid-temporarily');

CREATE TABLE users (
    id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
    login VARCHAR(191) NOT NULL UNIQUE
) ENGINE=InnoDB;
INSERT INTO users (id, login) VALUES (1, 'root@localhost');

CREATE TABLE customer_user (
    id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
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
    create_time DATETIME NOT NULL,
    create_by INTEGER NOT NULL,
    change_time DATETIME NOT NULL,
    change_by INTEGER NOT NULL,
    FOREIGN KEY (valid_id) REFERENCES valid (id),
    FOREIGN KEY (create_by) REFERENCES users (id),
    FOREIGN KEY (change_by) REFERENCES users (id)
) ENGINE=InnoDB;

CREATE TABLE customer_preferences (
    user_id VARCHAR(191) NOT NULL,
    preferences_key VARCHAR(150) NOT NULL,
    preferences_value VARCHAR(250) NULL,
    INDEX customer_preferences_user_id (user_id)
) ENGINE=InnoDB;
