//! Ranges against a naive evaluation of OSV's algorithm.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{asked, layered};
use crate::advisory::import::{Imported, osv};

/// Versions in order: a number is its place.
fn version(place: usize) -> String {
    ["0.1.0", "0.2.0-alpha", "0.2.0", "0.2.1", "1.0.0-0", "1.0.0-rc.1", "1.0.0", "1.0.1", "2.0.0", "10.0.0"][place]
        .into()
}

#[derive(Debug, Clone)]
enum Event {
    Introduced(Option<usize>),
    Fixed(usize),
    Last(usize),
}

/// The algorithm of the OSV schema ("Evaluation"): walk the sorted events up to the version.
fn naive(events: &[Event], versions: &[usize], asked: usize) -> bool {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|event| match event {
        Event::Introduced(place) => place.map_or(0, |p| p + 1),
        Event::Fixed(place) | Event::Last(place) => place + 1,
    });
    let mut vulnerable = false;
    for event in sorted {
        match event {
            Event::Introduced(place) if place.is_none_or(|p| asked >= p) => vulnerable = true,
            Event::Fixed(place) if asked >= place => vulnerable = false,
            Event::Last(place) if asked > place => vulnerable = false,
            _ => {}
        }
    }
    vulnerable || versions.contains(&asked)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        prop_oneof![Just(None), (0usize..10).prop_map(Some)].prop_map(Event::Introduced),
        (0usize..10).prop_map(Event::Fixed),
        (0usize..10).prop_map(Event::Last),
    ]
}

/// At most one event per version, as the schema has it.
fn events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(event(), 0..7).prop_map(|mut events| {
        let mut seen = std::collections::BTreeSet::new();
        events.retain(|event| match event {
            Event::Introduced(None) => seen.insert(usize::MAX),
            Event::Introduced(Some(p)) | Event::Fixed(p) | Event::Last(p) => seen.insert(*p),
        });
        events
    })
}

proptest! {
    #[test]
    fn spans_say_what_the_events_say(
        events in events(),
        more in events(),
        versions in proptest::collection::vec(0usize..10, 0..3),
    ) {
        let json = |event: &Event| -> Value {
            match event {
                Event::Introduced(place) => json!({"introduced": place.map_or("0".into(), version)}),
                Event::Fixed(place) => json!({"fixed": version(*place)}),
                Event::Last(place) => json!({"last_affected": version(*place)}),
            }
        };
        let ranges: Vec<Value> = [&events, &more]
            .map(|events| json!({"type": "SEMVER", "events": events.iter().map(json).collect::<Vec<_>>()}))
            .into();
        let text = json!({
            "id": "T-1", "modified": "2026-01-01T00:00:00Z",
            "affected": [{
                "package": {"ecosystem": "crates.io", "name": "p"}, "ranges": ranges,
                "versions": versions.iter().map(|p| version(*p)).collect::<Vec<_>>(),
            }],
        });
        let (record, _) = osv::record(text.to_string().as_bytes()).unwrap();
        let store = layered(vec![Imported { records: vec![record], ..Imported::default() }]);
        for place in 0..10 {
            let expected = naive(&events, &versions, place) || naive(&more, &[], place);
            let (matched, undecided) = asked(&store, "p", &version(place));
            prop_assert_eq!(!matched.is_empty(), expected, "{} in {}", version(place), text);
            prop_assert!(undecided.is_empty());
        }
    }
}
