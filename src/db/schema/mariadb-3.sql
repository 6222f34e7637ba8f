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
