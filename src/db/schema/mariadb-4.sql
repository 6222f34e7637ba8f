CREATE TABLE IF NOT EXISTS link_mail (
    message_id VARBINARY(990) NOT NULL PRIMARY KEY,
    sent_at BIGINT NOT NULL,
    KEY (sent_at)
) ENGINE=InnoDB;
