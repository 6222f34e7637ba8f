//! The embedded tables of customers, which have OTOBO's shape: `customer` has the statements, for both.

use super::table::Table;

/// Customer users.
pub(super) const TABLE: Table = Table {
    name: "customer_user",
    columns: &[
        "id",
        "login",
        "email",
        "customer_id",
        "pw",
        "title",
        "first_name",
        "last_name",
        "phone",
        "fax",
        "mobile",
        "street",
        "zip",
        "city",
        "country",
        "comments",
        "valid_id",
        "create_time",
        "create_by",
        "change_time",
        "change_by",
    ],
};

/// Their preferences.
pub(super) const PREFERENCES: Table =
    Table { name: "customer_preferences", columns: &["user_id", "preferences_key", "preferences_value"] };
