use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, NotFound, Rule};
use crate::aggregate::{Given, fold, given};
use crate::content::post::PostEvent;
use crate::content::post::events as of_post;
use crate::testing::*;
use crate::values::{PostStatus, UserRole, UserStatus};

type Decision = Result<Vec<CommentEvent>, CommentError>;

const NOTHING: Decision = Ok(vec![]);
const POST: Uuid = Uuid::from_u128(0x9057);

fn one(event: impl Into<CommentEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn written() -> CommentEvent {
    Written { post_id: POST, user_id: BOB, content: personal("<p>Yes</p>\n") }.into()
}

fn write() -> Write {
    Write { post_id: POST, user_id: BOB, content: personal("<p>Yes</p>\n") }
}

fn edit(content: &str) -> Edit {
    Edit { content: personal(content) }
}

fn deleted() -> CommentEvent {
    Deleted { reason: None }.into()
}

fn post(then: impl IntoIterator<Item = PostEvent>) -> Post {
    let drafted =
        of_post::Drafted { user_id: ADA, title: personal("Notes"), content: personal("One") };
    fold(&[PostEvent::from(drafted)].into_iter().chain(then).collect::<Vec<_>>())
}

fn published() -> PostEvent {
    of_post::Published {}.into()
}

fn knowing(author: UserStatus, post: Post) -> CommentFacts {
    CommentFacts { author: Some(user(UserRole::User, author)), post: Some(post) }
}

/// A past, with an active author and a published post.
fn past(events: impl IntoIterator<Item = CommentEvent>) -> Given<Comment> {
    given(events).knowing(knowing(UserStatus::Active, post([published()])))
}

fn asked(past: &Given<Comment>, command: impl Into<CommentCommand>) -> Decision {
    past.decide(command, &asked_as(UserRole::User))
}

#[test]
fn is_written_once_by_an_active_author() {
    assert_eq!(asked(&past([]), write()), Ok(vec![written()]));
    let says = "this comment is written already";
    assert_refused(asked(&past([written()]), write()), Exists, "comment-already-written", says);
    for author in [None, Some(User::default())] {
        let facts = CommentFacts { author, post: Some(post([published()])) };
        let says = format!("there is no user {BOB} to write the comment");
        let result = asked(&given::<Comment>([]).knowing(facts), write());
        assert_refused(result, Rule, "author-not-found", &says);
    }
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let says = format!("the comment's author {BOB} is {status}, not active");
        let facts = knowing(status, post([published()]));
        let result = asked(&given::<Comment>([]).knowing(facts), write());
        assert_refused(result, Rule, "author-not-active", &says);
    }
}

/// Everything that rests on the post: writing, other words, undoing a deletion.
fn resting_on(facts: &CommentFacts) -> [Decision; 3] {
    let known = |events: Vec<CommentEvent>| given::<Comment>(events).knowing(facts.clone());
    [
        asked(&known(vec![]), write()),
        asked(&known(vec![written()]), edit("No")),
        asked(&known(vec![written(), deleted()]), Restore {}),
    ]
}

#[test]
fn the_post_is_published_and_not_deleted() {
    for post in [None, Some(Post::default())] {
        let facts = CommentFacts { post, ..knowing(UserStatus::Active, Post::default()) };
        for result in resting_on(&facts) {
            let says = format!("there is no post {POST} to comment on");
            assert_refused(result, Rule, "post-unknown", &says);
        }
    }
    let archived = || -> PostEvent { of_post::Archived {}.into() };
    for (events, status) in [
        (vec![], PostStatus::Draft),
        (vec![published(), of_post::Unpublished {}.into()], PostStatus::Draft),
        (vec![published(), archived()], PostStatus::Archived),
    ] {
        for result in resting_on(&knowing(UserStatus::Active, post(events.clone()))) {
            let says =
                format!("only published posts are commented on, and the post {POST} is {status}");
            assert_refused(result, Rule, "post-not-published", &says);
        }
    }
    let gone: PostEvent = of_post::Deleted { reason: None }.into();
    for result in resting_on(&knowing(UserStatus::Active, post([published(), gone]))) {
        let says = format!("the post {POST} is deleted: nothing is said to it");
        assert_refused(result, Rule, "post-deleted", &says);
    }
    for result in resting_on(&knowing(UserStatus::Active, post([published()]))) {
        assert_eq!(result.expect("one event").len(), 1);
    }
}

#[test]
fn other_words_are_kept_and_the_same_ones_are_not() {
    let edited = Edited { content: personal("No") };
    assert_eq!(asked(&past([written()]), edit("No")), one(edited.clone()));
    assert_eq!(asked(&past([written()]), edit("<p>Yes</p>\n")), NOTHING);
    assert_eq!(asked(&past([written(), edited.into()]), edit("No")), NOTHING);
    let says = "the comment is deleted; restore it first";
    let result = asked(&past([written(), deleted()]), edit("No"));
    assert_refused(result, Rule, "comment-deleted", says);
}

#[test]
fn a_deletion_needs_no_post_and_is_undone() {
    let delete = || Delete { reason: Some(value("rude")) };
    let alone = |events: Vec<CommentEvent>| given::<Comment>(events);
    let gone = Deleted { reason: Some(value("rude")) };
    assert_eq!(asked(&alone(vec![written()]), delete()), one(gone));
    assert_eq!(asked(&alone(vec![written(), deleted()]), delete()), NOTHING);
    assert_eq!(asked(&past([written(), deleted()]), Restore {}), one(Restored {}));
    assert_eq!(asked(&alone(vec![written()]), Restore {}), NOTHING);
    let before = past([written()]).state;
    assert_eq!(past([written(), deleted(), Restored {}.into()]).state, before);
}

#[test]
fn nothing_is_asked_of_no_comment() {
    let commands: [CommentCommand; 3] =
        [edit("No").into(), Delete { reason: None }.into(), Restore {}.into()];
    for command in commands {
        let result = asked(&past([]), command);
        assert_refused(result, NotFound, "comment-not-found", "there is no such comment");
    }
}

#[test]
fn what_it_rests_on_is_read_and_referred_to() {
    let none = Comment::default();
    let both = Reads { post_id: POST, user_id: Some(BOB) };
    assert_eq!(none.reads(&write().into()), Some(both));
    assert_eq!(none.reads(&edit("No").into()), None);
    let one = past([written()]).state;
    let post_alone = Some(Reads { post_id: POST, user_id: None });
    assert_eq!(one.reads(&edit("No").into()), post_alone);
    assert_eq!(one.reads(&Restore {}.into()), post_alone);
    assert_eq!(one.reads(&Delete { reason: None }.into()), None);
    assert_eq!(
        (none.owner(ADA, &write().into()), one.owner(ADA, &Restore {}.into())),
        (Some(BOB), Some(BOB))
    );

    let opens = none.effects(ADA, &written());
    assert_eq!((opens.lifecycle, opens.references), (Lifecycle::Opens, vec![POST, BOB]));
    assert_eq!(none.effects(ADA, &deleted()).lifecycle, Lifecycle::Closes);
    assert_eq!(none.effects(ADA, &Restored {}.into()).lifecycle, Lifecycle::Reopens);
    let edited = Edited { content: personal("No") };
    assert_eq!(none.effects(ADA, &edited.into()), Effects::default());
}
