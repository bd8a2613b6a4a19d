//! Where users stand.

use super::named_values;

named_values! {
    /// Whether a user may act.
    pub enum UserStatus {
        /// May sign in and act.
        Active = "active",
        /// Put to rest, by themselves or an administrator.
        Inactive = "inactive",
        /// Barred by an administrator.
        Suspended = "suspended",
        /// Deleted; the record, its email and its username stay.
        Deleted = "deleted",
    }
}

named_values! {
    /// How a notification is meant.
    #[derive(Default)]
    pub enum NotificationKind {
        /// For information.
        #[default]
        Info = "info",
        /// Something worked out.
        Success = "success",
        /// Something needs attention.
        Warning = "warning",
        /// Something went wrong.
        Error = "error",
    }
}
