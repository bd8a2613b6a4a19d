//! Where services and subscriptions stand.

use super::named_values;

named_values! {
    /// Whether a service may be subscribed to.
    pub enum ServiceStatus {
        /// It may.
        Active = "active",
        /// It may not; what is subscribed goes on until it ends.
        Inactive = "inactive",
    }
}

named_values! {
    /// Whether a subscription goes on.
    pub enum SubscriptionStatus {
        /// It does, until its time comes.
        Active = "active",
        /// It was ended before its time.
        Cancelled = "cancelled",
        /// Its time came.
        Expired = "expired",
    }
}
