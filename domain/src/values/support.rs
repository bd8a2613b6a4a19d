//! Where tickets and equipment stand.

use super::named_values;

named_values! {
    /// How much a ticket matters.
    pub enum TicketPriority {
        /// When there is time.
        Low = "low",
        /// In its turn.
        Medium = "medium",
        /// Before others.
        High = "high",
        /// At once.
        Critical = "critical",
    }
}

impl TicketPriority {
    /// What a ticket has where nobody says.
    #[must_use]
    pub const fn usual() -> Self {
        Self::Medium
    }
}

named_values! {
    /// Where a ticket stands.
    pub enum TicketStatus {
        /// Nobody works on it yet.
        Open = "open",
        /// Someone works on it.
        InProgress = "in_progress",
        /// The user must say or do something.
        AwaitingUser = "awaiting_user",
        /// A vendor must.
        AwaitingVendor = "awaiting_vendor",
        /// The problem behind it is being solved elsewhere.
        AwaitingProblem = "awaiting_problem",
        /// It must be seen happening again.
        AwaitingEvidence = "awaiting_evidence",
        /// Solved; it may be opened again at any time.
        Resolved = "resolved",
        /// Done with; it may be opened again for a while.
        Closed = "closed",
    }
}

impl TicketStatus {
    /// Whether there is still something to do.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Open
            | Self::InProgress
            | Self::AwaitingUser
            | Self::AwaitingVendor
            | Self::AwaitingProblem
            | Self::AwaitingEvidence => true,
            Self::Resolved | Self::Closed => false,
        }
    }
}

named_values! {
    /// What a ticket waits for.
    pub enum WaitsFor {
        /// The user.
        User = "user",
        /// A vendor.
        Vendor = "vendor",
        /// The solution of the problem behind it.
        Problem = "problem",
        /// Evidence: that it happens again.
        Evidence = "evidence",
    }
}

impl WaitsFor {
    /// Where a ticket stands that waits for this.
    #[must_use]
    pub const fn status(self) -> TicketStatus {
        match self {
            Self::User => TicketStatus::AwaitingUser,
            Self::Vendor => TicketStatus::AwaitingVendor,
            Self::Problem => TicketStatus::AwaitingProblem,
            Self::Evidence => TicketStatus::AwaitingEvidence,
        }
    }
}

named_values! {
    /// Where a piece of equipment stands.
    pub enum AssetStatus {
        /// In stock.
        Active = "active",
        /// Someone has it.
        Assigned = "assigned",
        /// It is being repaired.
        InRepair = "in_repair",
        /// Out of use for good.
        Retired = "retired",
    }
}

named_values! {
    /// Where equipment was before it came back into stock.
    pub enum CameFrom {
        /// Someone had it.
        Person = "person",
        /// It was being repaired.
        Repair = "repair",
    }
}
