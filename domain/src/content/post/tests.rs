use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, NotFound, Rule};
use crate::aggregate::{Given, given};
use crate::testing::*;
use crate::values::{UserRole, UserStatus};

type Decision = Result<Vec<PostEvent>, PostError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<PostEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn drafted(content: &str) -> PostEvent {
    Drafted { user_id: ADA, title: personal("Notes"), content: personal(content) }.into()
}

fn draft(content: &str) -> Draft {
    Draft { user_id: ADA, title: personal("Notes"), content: personal(content) }
}

fn edit(title: Option<&str>, content: Option<&str>) -> Edit {
    Edit { title: title.map(personal), content: content.map(personal) }
}

fn edited(title: &str, content: &str) -> PostEvent {
    Edited { title: personal(title), content: personal(content) }.into()
}

fn published() -> PostEvent {
    Published {}.into()
}

fn archived() -> PostEvent {
    Archived {}.into()
}

fn deleted() -> PostEvent {
    Deleted { reason: None }.into()
}

/// A post with a text, and what happened to it after.
fn post(events: impl IntoIterator<Item = PostEvent>) -> Given<Post> {
    given([drafted("<p>One</p>\n")].into_iter().chain(events))
}

fn asked(past: &Given<Post>, command: impl Into<PostCommand>) -> Decision {
    past.decide(command, &asked_as(UserRole::User))
}

fn written_by(status: UserStatus) -> PostFacts {
    PostFacts { author: Some(user(UserRole::User, status)) }
}

#[test]
fn is_drafted_by_an_active_author_once() {
    let new = given::<Post>([]).knowing(written_by(UserStatus::Active));
    assert_eq!(asked(&new, draft("A")), Ok(vec![drafted("A")]));
    assert_eq!(asked(&new, draft("")), Ok(vec![drafted("")]));
    let again = post([]).knowing(written_by(UserStatus::Active));
    let says = "this post is drafted already";
    assert_refused(asked(&again, draft("A")), Exists, "post-already-drafted", says);

    for facts in [PostFacts::default(), PostFacts { author: Some(User::default()) }] {
        let says = format!("there is no user {ADA} to write the post");
        let result = asked(&given::<Post>([]).knowing(facts), draft("A"));
        assert_refused(result, Rule, "author-not-found", &says);
    }
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let says = format!("the post's author {ADA} is {status}, not active");
        let result = asked(&given::<Post>([]).knowing(written_by(status)), draft("A"));
        assert_refused(result, Rule, "author-not-active", &says);
    }
}

#[test]
fn a_draft_may_have_no_text_yet() {
    use crate::message::CommandMessage;
    let bare = serde_json::json!({ "user_id": ADA, "title": "Notes" }).to_string();
    let command = PostCommand::decode("draft", &bare).expect("a draft");
    let new = given::<Post>([]).knowing(written_by(UserStatus::Active));
    assert_eq!(asked(&new, command), Ok(vec![drafted("")]));
}

#[test]
fn edits_change_what_they_name() {
    let now = post([]);
    assert_eq!(asked(&now, edit(Some("More"), None)), Ok(vec![edited("More", "<p>One</p>\n")]));
    assert_eq!(asked(&now, edit(None, Some("Two"))), Ok(vec![edited("Notes", "Two")]));
    assert_eq!(asked(&now, edit(Some("Notes"), Some("<p>One</p>\n"))), NOTHING);
    assert_eq!(asked(&now, edit(None, None)), NOTHING);
    let later = post([edited("More", "Two"), published()]);
    assert_eq!(asked(&later, edit(None, Some("Three"))), Ok(vec![edited("More", "Three")]));
}

#[test]
fn what_is_published_has_a_text() {
    let says = "a post is published with a text, and the text of this one is empty";
    for empty in ["", " \n"] {
        let result = asked(&given([drafted(empty)]), Publish {});
        assert_refused(result, Rule, "post-empty", says);
        let away = asked(&given([drafted(empty), archived()]), Publish {});
        assert_refused(away, Rule, "post-empty", says);
        let emptied = asked(&post([published()]), edit(None, Some(empty)));
        assert_refused(emptied, Rule, "post-empty", says);
        assert_eq!(asked(&post([]), edit(None, Some(empty))), Ok(vec![edited("Notes", empty)]));
    }
}

#[test]
fn is_published_taken_back_and_put_away() {
    let unpublished = || -> PostEvent { Unpublished {}.into() };
    assert_eq!(asked(&post([]), Publish {}), Ok(vec![published()]));
    assert_eq!(asked(&post([published()]), Publish {}), NOTHING);
    assert_eq!(asked(&post([published()]), Unpublish {}), Ok(vec![unpublished()]));
    assert_eq!(asked(&post([]), Unpublish {}), NOTHING);
    assert_eq!(asked(&post([published(), unpublished()]), Publish {}), Ok(vec![published()]));

    assert_eq!(asked(&post([]), Archive {}), Ok(vec![archived()]));
    assert_eq!(asked(&post([published()]), Archive {}), Ok(vec![archived()]));
    assert_eq!(asked(&post([archived()]), Archive {}), NOTHING);
    assert_eq!(asked(&post([archived()]), Publish {}), Ok(vec![published()]));
    let says = "the post is archived; publish it first";
    assert_refused(asked(&post([archived()]), Unpublish {}), Rule, "post-archived", says);
    let changed = asked(&post([archived()]), edit(Some("More"), None));
    assert_refused(changed, Rule, "post-archived", says);
    assert_eq!(asked(&post([archived()]), edit(Some("Notes"), None)), NOTHING);
}

#[test]
fn a_deletion_is_undone_and_leaves_everything_as_it_was() {
    let delete = || Delete { reason: Some(value("off topic")) };
    let gone = || Deleted { reason: Some(value("off topic")) };
    assert_eq!(asked(&post([]), delete()), one(gone()));
    assert_eq!(asked(&post([published(), deleted()]), delete()), NOTHING);
    assert_eq!(asked(&post([deleted()]), Restore {}), one(Restored {}));
    assert_eq!(asked(&post([]), Restore {}), NOTHING);
    let before = post([published()]).state;
    assert_eq!(post([published(), deleted(), Restored {}.into()]).state, before);
}

#[test]
fn nothing_happens_to_what_is_deleted_or_not_there() {
    let commands: [PostCommand; 4] = [
        edit(Some("More"), None).into(),
        Publish {}.into(),
        Unpublish {}.into(),
        Archive {}.into(),
    ];
    for command in commands {
        let result = asked(&post([deleted()]), command.clone());
        let says = "the post is deleted; restore it first";
        assert_refused(result, Rule, "post-deleted", says);
        let result = asked(&given::<Post>([]), command);
        assert_refused(result, NotFound, "post-not-found", "there is no such post");
    }
    let commands: [PostCommand; 2] = [Delete { reason: None }.into(), Restore {}.into()];
    for command in commands {
        let result = asked(&given::<Post>([]), command);
        assert_refused(result, NotFound, "post-not-found", "there is no such post");
    }
}

#[test]
fn its_author_is_referred_to_and_what_is_deleted_is_closed() {
    let none = Post::default();
    let opens = none.effects(BOB, &drafted("A"));
    assert_eq!((opens.lifecycle, opens.references), (Lifecycle::Opens, vec![ADA]));
    assert_eq!(none.effects(BOB, &deleted()).lifecycle, Lifecycle::Closes);
    assert_eq!(none.effects(BOB, &Restored {}.into()).lifecycle, Lifecycle::Reopens);
    assert_eq!(none.effects(BOB, &published()), Effects::default());
}

#[test]
fn it_is_its_authors() {
    assert_eq!(Post::default().owner(BOB, &draft("A").into()), Some(ADA));
    assert_eq!(Post::default().owner(BOB, &Publish {}.into()), None);
    let other = Draft { user_id: BOB, ..draft("A") };
    assert_eq!(post([]).state.owner(BOB, &other.into()), Some(ADA));
}
