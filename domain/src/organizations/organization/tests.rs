use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, Forbidden, NotFound, Rule};
use crate::aggregate::{Given, fold, given};
use crate::identity::user::events::Registered;
use crate::testing::*;
use crate::values::{UserRole, UserStatus};

type Decision = Result<Vec<OrganizationEvent>, OrganizationError>;

const NOTHING: Decision = Ok(vec![]);
const ORG: Uuid = Uuid::from_u128(0x0c);
const CYD: Uuid = Uuid::from_u128(0xc1d);

fn one(event: impl Into<OrganizationEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn created() -> OrganizationEvent {
    Created { name: value("Oakford"), plan_tier: PlanTier::Free, owner_id: ADA }.into()
}

fn added(user_id: Uuid, role: MemberRole) -> OrganizationEvent {
    MemberAdded { user_id, role }.into()
}

fn knowing(status: UserStatus) -> OrganizationFacts {
    OrganizationFacts { member: Some(user(UserRole::User, status)), ..OrganizationFacts::default() }
}

/// A past, in which whoever is asked about is an active user.
fn past(events: impl IntoIterator<Item = OrganizationEvent>) -> Given<Organization> {
    given(events).knowing(knowing(UserStatus::Active))
}

fn by(id: Uuid) -> Context {
    asked_by(actor(id, UserRole::User))
}

fn create(owner_id: Option<Uuid>) -> Create {
    Create { name: value("Oakford"), plan_tier: PlanTier::Free, owner_id }
}

#[test]
fn its_creator_owns_it() {
    assert_eq!(past([]).decide(create(None), &by(ADA)), one(created()));
    assert_eq!(past([]).decide(create(Some(ADA)), &by(ADA)), one(created()));
    let organization = fold::<Organization>(&[created()]);
    assert_eq!(organization.role_of(ADA), Some(MemberRole::Owner));
    assert_eq!(organization.standing(), Standing::Present);
    assert_eq!(Organization::default().standing(), Standing::Unknown);
    let again = past([created()]).decide(create(None), &by(ADA));
    let says = "this organization exists already";
    assert_refused(again, Exists, "organization-already-exists", says);
}

#[test]
fn only_managers_create_one_for_somebody_else() {
    let refused = past([]).decide(create(Some(ADA)), &by(BOB));
    let says = format!(
        "{ADA} would own the organization: only an administrator or a manager creates one for somebody else"
    );
    assert_refused(refused, Forbidden, "organization-for-somebody-else", &says);
    let manager = asked_by(actor(BOB, UserRole::Manager));
    assert_eq!(past([]).decide(create(Some(ADA)), &manager), one(created()));
}

#[test]
fn members_are_active_people() {
    let add = AddMember { user_id: BOB, role: MemberRole::Member };
    let decide =
        |facts| given::<Organization>([created()]).knowing(facts).decide(add.clone(), &by(ADA));
    assert_eq!(decide(knowing(UserStatus::Active)), one(added(BOB, MemberRole::Member)));
    let unknown = format!("there is no user {BOB} to be a member");
    assert_refused(decide(OrganizationFacts::default()), Rule, "member-not-found", &unknown);
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let says = format!(
            "{BOB} is {status}; only an active user becomes a member or is given a higher role"
        );
        assert_refused(decide(knowing(status)), Rule, "member-not-active", &says);
    }
    let part = Registered { is_system: true, ..registered(UserRole::Admin) };
    let facts =
        OrganizationFacts { member: Some(fold(&[part.into()])), ..OrganizationFacts::default() };
    let says = format!("{BOB} is a part of the service and no member of anything");
    assert_refused(decide(facts), Rule, "member-is-system-user", &says);
    // Whoever creates one must be active too.
    let suspended = given::<Organization>([]).knowing(knowing(UserStatus::Suspended));
    assert!(suspended.decide(create(None), &by(ADA)).is_err());
}

#[test]
fn a_member_is_added_once() {
    let past = past([created(), added(BOB, MemberRole::Member)]);
    let add = |role| past.decide(AddMember { user_id: BOB, role }, &by(ADA));
    assert_eq!(add(MemberRole::Member), NOTHING);
    let says = format!("{BOB} is a member already, as member; change_member_role changes that");
    assert_refused(add(MemberRole::Admin), Rule, "already-member", &says);
}

#[test]
fn a_role_rises_for_the_active_and_falls_for_everybody() {
    let events = [created(), added(BOB, MemberRole::Member)];
    let change = |status, role| {
        given::<Organization>(events.clone())
            .knowing(knowing(status))
            .decide(ChangeMemberRole { user_id: BOB, role }, &by(ADA))
    };
    let changed = |to| one(MemberRoleChanged { user_id: BOB, from: MemberRole::Member, to });
    assert_eq!(change(UserStatus::Active, MemberRole::Owner), changed(MemberRole::Owner));
    assert_eq!(change(UserStatus::Suspended, MemberRole::Viewer), changed(MemberRole::Viewer));
    assert!(change(UserStatus::Suspended, MemberRole::Admin).is_err());
    assert_eq!(change(UserStatus::Active, MemberRole::Member), NOTHING);
    let organization = fold::<Organization>(&events);
    let reads = |role| organization.reads(&ChangeMemberRole { user_id: BOB, role }.into(), ADA);
    assert_eq!((reads(MemberRole::Admin), reads(MemberRole::Viewer)), (Some(BOB), None));
    let stranger = ChangeMemberRole { user_id: CYD, role: MemberRole::Admin };
    let says = format!("{CYD} is no member of the organization");
    assert_refused(past(events).decide(stranger, &by(ADA)), Rule, "not-a-member", &says);
}

#[test]
fn an_owner_stays() {
    let says = format!(
        "{ADA} is the last owner of 1: make another member an owner before this one is demoted or removed"
    );
    let alone = past([created(), added(BOB, MemberRole::Admin)]);
    let demote = ChangeMemberRole { user_id: ADA, role: MemberRole::Admin };
    let remove = RemoveMember { user_id: ADA };
    assert_refused(alone.decide(demote.clone(), &by(ADA)), Rule, "last-owner", &says);
    assert_refused(alone.decide(remove.clone(), &by(ADA)), Rule, "last-owner", &says);
    // An administrator of the platform is bound by it too.
    let admin = asked_by(actor(CYD, UserRole::Admin));
    assert_refused(alone.decide(remove.clone(), &admin), Rule, "last-owner", &says);
    let two = past([created(), added(BOB, MemberRole::Owner)]);
    let (from, to) = (MemberRole::Owner, MemberRole::Admin);
    assert_eq!(two.decide(demote, &by(ADA)), one(MemberRoleChanged { user_id: ADA, from, to }));
    assert_eq!(two.decide(remove, &by(ADA)), one(MemberRemoved { user_id: ADA }));
}

#[test]
fn only_owners_say_who_owns() {
    let events = [created(), added(BOB, MemberRole::Admin), added(CYD, MemberRole::Owner)];
    let past = past(events);
    let says = "only an owner, an administrator or a manager says who owns the organization";
    let other = Uuid::from_u128(7);
    let make = AddMember { user_id: other, role: MemberRole::Owner };
    let rise = ChangeMemberRole { user_id: BOB, role: MemberRole::Owner };
    let fall = ChangeMemberRole { user_id: CYD, role: MemberRole::Viewer };
    for refused in [
        past.decide(make.clone(), &by(BOB)),
        past.decide(rise, &by(BOB)),
        past.decide(fall, &by(BOB)),
        past.decide(RemoveMember { user_id: CYD }, &by(BOB)),
    ] {
        assert_refused(refused, Forbidden, "needs-owner", says);
    }
    assert_eq!(past.decide(make.clone(), &by(CYD)), one(added(other, MemberRole::Owner)));
    let manager = asked_by(actor(other, UserRole::Manager));
    assert_eq!(past.decide(make, &manager), one(added(other, MemberRole::Owner)));
}

#[test]
fn who_is_gone_is_not_removed_again() {
    let remove = RemoveMember { user_id: BOB };
    assert_eq!(past([created()]).decide(remove.clone(), &by(ADA)), NOTHING);
    let member = past([created(), added(BOB, MemberRole::Member)]);
    assert_eq!(member.decide(remove, &by(BOB)), one(MemberRemoved { user_id: BOB }));
}

#[test]
fn names_and_plans_change() {
    let past = past([created()]);
    let name = |name: &str| past.decide(Rename { name: value(name) }, &by(ADA));
    assert_eq!(name("Oakford"), NOTHING);
    assert_eq!(name("Nexus"), one(Renamed { name: value("Nexus") }));
    let plan = |plan_tier| past.decide(ChangePlan { plan_tier }, &by(ADA));
    assert_eq!(plan(PlanTier::Free), NOTHING);
    let (from, to) = (PlanTier::Free, PlanTier::Business);
    assert_eq!(plan(to), one(PlanChanged { from, to }));
}

#[test]
fn it_is_deleted_with_what_it_has_and_restored_with_that() {
    let resources = vec![Uuid::from_u128(1), Uuid::from_u128(2)];
    let facts =
        OrganizationFacts { resources: resources.clone(), sessions: 3, ..Default::default() };
    let deleted = Deleted { resources: resources.clone(), sessions_closed: 3, reason: None };
    let delete = Delete { reason: None };
    let decided =
        given::<Organization>([created()]).knowing(facts).decide(delete.clone(), &by(ADA));
    assert_eq!(decided, one(deleted.clone()));
    let gone = past([created(), deleted.clone().into()]);
    assert_eq!(gone.state.standing(), Standing::Deleted);
    assert_eq!(gone.decide(delete, &by(ADA)), NOTHING);
    let restored = Restored { resources };
    assert_eq!(gone.decide(Restore {}, &by(ADA)), one(restored.clone()));
    let without = OrganizationFacts { owners_gone: vec![ADA, BOB], ..Default::default() };
    let refused = gone.state.decide(&Restore {}.into(), &without, &by(ADA));
    let says = format!(
        "its owners {ADA}, {BOB} were deleted meanwhile: restore them first, then the organization"
    );
    assert_refused(refused, Rule, "owners-deleted", &says);
    let back = past([created(), deleted.into(), restored.into()]);
    assert_eq!(back.state, past([created()]).state);
    assert_eq!(back.decide(Restore {}, &by(ADA)), NOTHING);
}

#[test]
fn no_more_goes_with_it_than_one_request_takes() {
    let decide = |resources: usize, sessions| {
        let resources = (0..resources).map(|n| Uuid::from_u128((1 << 64) + n as u128)).collect();
        let facts = OrganizationFacts { resources, sessions, ..Default::default() };
        given::<Organization>([created()]).knowing(facts).decide(Delete { reason: None }, &by(ADA))
    };
    assert!(decide(MAX_TOGETHER, 0).is_ok() && decide(0, 10_000).is_ok());
    let says = "more than 10000 resources and open sessions would go with the organization, which is the most for one request: delete some of its resources first (/v1/organizations/resources/{id}/delete), then the organization";
    assert_refused(decide(MAX_TOGETHER + 1, 0), Rule, "too-much-at-once", says);
    assert_refused(decide(MAX_TOGETHER - 1, 2), Rule, "too-much-at-once", says);
}

#[test]
fn nothing_happens_to_what_is_deleted_or_was_never_there() {
    let commands: [OrganizationCommand; 5] = [
        Rename { name: value("x") }.into(),
        ChangePlan { plan_tier: PlanTier::Starter }.into(),
        AddMember { user_id: BOB, role: MemberRole::Member }.into(),
        ChangeMemberRole { user_id: ADA, role: MemberRole::Admin }.into(),
        RemoveMember { user_id: ADA }.into(),
    ];
    let deleted = Deleted { resources: vec![], sessions_closed: 0, reason: None };
    let gone = past([created(), deleted.into()]);
    for command in &commands {
        let refused = gone.decide(command.clone(), &by(ADA));
        let says = "the organization is deleted; restore it first";
        assert_refused(refused, Rule, "organization-deleted", says);
    }
    let more = [Delete { reason: None }.into(), Restore {}.into()];
    for command in commands.into_iter().chain(more) {
        let refused = past([]).decide(command, &by(ADA));
        let says = "there is no such organization";
        assert_refused(refused, NotFound, "organization-not-found", says);
    }
}

#[test]
fn it_has_a_bound_of_members() {
    let mut organization = fold::<Organization>(&[created()]);
    for n in 1..MAX_MEMBERS {
        organization.apply(&added(Uuid::from_u128((n as u128) << 64), MemberRole::Viewer));
    }
    let add = AddMember { user_id: CYD, role: MemberRole::Viewer };
    let facts = knowing(UserStatus::Active);
    let refused = organization.decide(&add.into(), &facts, &by(ADA));
    let says = "the organization has 10000 members, which is the most";
    assert_refused(refused, Rule, "too-many-members", says);
}

#[test]
fn it_belongs_to_those_who_administer_it() {
    let organization = fold::<Organization>(&[
        created(),
        added(BOB, MemberRole::Admin),
        added(CYD, MemberRole::Member),
    ]);
    let rename: OrganizationCommand = Rename { name: value("x") }.into();
    let owned = |user| organization.is_owned_by(ORG, &rename, user);
    assert_eq!([ADA, BOB, CYD, ORG].map(owned), [true, true, false, false]);
    let leave: OrganizationCommand = RemoveMember { user_id: CYD }.into();
    let owned = |user| organization.is_owned_by(ORG, &leave, user);
    assert_eq!([ADA, BOB, CYD, ORG].map(owned), [true, true, true, false]);
    assert_eq!(organization.organization(ORG, &rename), Some(ORG));
    let new = Organization::default();
    assert!(new.is_owned_by(ORG, &create(None).into(), BOB));
    assert!(new.is_owned_by(ORG, &create(Some(BOB)).into(), BOB));
    assert!(!new.is_owned_by(ORG, &create(Some(ADA)).into(), BOB));
    assert!(!organization.is_owned_by(ORG, &create(None).into(), CYD));
}

/// An event's effects: lifecycle, references, holds, and holds that end.
type Done = (Lifecycle, Vec<Uuid>, Vec<Uuid>, Vec<Uuid>);

fn done(past: &[OrganizationEvent], event: impl Into<OrganizationEvent>) -> Done {
    let effects = fold::<Organization>(past).effects(ORG, &event.into());
    assert!(effects.holds.iter().all(|hold| hold.expires_at.is_none()));
    let held = effects.holds.iter().map(|hold| hold.target).collect();
    (effects.lifecycle, effects.references, held, effects.unholds)
}

#[test]
fn events_do_to_the_log_what_they_say() {
    let nobody = Vec::new;
    assert_eq!(done(&[], created()), (Lifecycle::Opens, vec![ADA], vec![ADA], nobody()));
    let member = added(BOB, MemberRole::Member);
    let past = [created(), member.clone()];
    assert_eq!(done(&[created()], member), (Lifecycle::Goes, vec![BOB], nobody(), nobody()));
    assert_eq!(
        done(&past, MemberRemoved { user_id: BOB }),
        (Lifecycle::Goes, nobody(), nobody(), nobody())
    );
}

#[test]
fn owners_are_held_for_as_long_as_they_own_what_is_there() {
    let nobody = Vec::new;
    let owner = added(BOB, MemberRole::Owner);
    assert_eq!(
        done(&[created()], owner.clone()),
        (Lifecycle::Goes, vec![BOB], vec![BOB], nobody())
    );
    let changed = |from, to| MemberRoleChanged { user_id: BOB, from, to };
    let (low, high) = (MemberRole::Admin, MemberRole::Owner);
    let admin = added(BOB, low);
    let risen = done(&[created(), admin], changed(low, high));
    assert_eq!(risen, (Lifecycle::Goes, nobody(), vec![BOB], nobody()));
    let past = [created(), owner];
    let fallen = done(&past, changed(high, low));
    assert_eq!(fallen, (Lifecycle::Goes, nobody(), nobody(), vec![BOB]));
    let left = done(&past, MemberRemoved { user_id: BOB });
    assert_eq!(left, (Lifecycle::Goes, nobody(), nobody(), vec![BOB]));
    let deleted = Deleted { resources: vec![], sessions_closed: 0, reason: None };
    let both = || vec![ADA, BOB];
    assert_eq!(done(&past, deleted), (Lifecycle::Closes, nobody(), nobody(), sorted(both())));
    let restored = done(&past, Restored { resources: vec![] });
    assert_eq!(restored, (Lifecycle::Reopens, sorted(both()), sorted(both()), nobody()));
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids
}
