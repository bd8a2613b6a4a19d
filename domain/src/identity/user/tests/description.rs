use super::*;
use crate::message::CommandMessage as _;

#[test]
fn a_user_says_of_themselves_what_they_like_and_takes_it_back() {
    let said = |bio: Option<&str>, picture: Option<&str>, first| Described {
        bio: bio.map(personal),
        avatar_url: picture.map(personal),
        first,
    };
    let engine = said(Some("Engines"), None, true);
    let both = said(Some("Engines"), Some("https://example.org/a.png"), false);
    let picture = said(None, Some("https://example.org/a.png"), false);
    for (events, json, expected) in [
        (vec![], r#"{"bio": "Engines"}"#, one(engine.clone())),
        (vec![], r#"{"bio": null}"#, NOTHING),
        (vec![], "{}", NOTHING),
        (vec![engine.clone().into()], r#"{"bio": "Engines"}"#, NOTHING),
        (
            vec![engine.clone().into()],
            r#"{"avatar_url": "https://example.org/a.png"}"#,
            one(both.clone()),
        ),
        (vec![engine.into(), both.into()], r#"{"bio": null}"#, one(picture)),
    ] {
        let command = UserCommand::decode("describe", json).expect(json);
        assert_eq!(ada(events).decide(command, &themselves()), expected, "{json}");
    }
    for wrong in [r#"{"avatar_url": "javascript:alert(1)"}"#, r#"{"bio": ""}"#, r#"{"bi": "x"}"#] {
        assert!(UserCommand::decode("describe", wrong).is_err(), "{wrong}");
    }
    let command = UserCommand::decode("describe", r#"{"bio": "late"}"#).expect("a command");
    assert!(ada([deleted()]).decide(command, &themselves()).is_err());
}
