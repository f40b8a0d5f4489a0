//! Pages: every datapoint once, in every order, whatever the size of a page.

use holotype_core::Instant;
use holotype_datapoints::{DatapointError, Page, PageRequest, Selection};
use holotype_testkit::on_both_engines;
use serde_json::{Value, json};

use crate::bench::{Bench, PROJECT};

async fn page(bench: &Bench, request: PageRequest) -> Result<Page, DatapointError> {
    bench.datapoints.page(&bench.owner, PROJECT, request).await
}

fn id_of(document: &str) -> String {
    serde_json::from_str::<Value>(document).unwrap()["_id"].as_str().unwrap().to_owned()
}

/// All ids, page by page.
async fn walk(bench: &Bench, sort: &str, limit: u32, filter: &Value) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let selection = Selection::parse(filter).unwrap();
        let request = PageRequest {
            selection,
            order: sort.parse().unwrap(),
            limit: Some(limit),
            after,
            ..PageRequest::default()
        };
        let page = page(bench, request).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        ids.extend(page.items.iter().map(|item| id_of(item)));
        match page.next {
            Some(next) => after = Some(next),
            None => return ids,
        }
    }
}

on_both_engines! {
    async fn pages_of_any_size_give_each_datapoint_once_in_order(bench: Bench) {
        let mut made: Vec<(String, String, usize, String)> = Vec::new();
        for number in 0..40_usize {
            let (label, timestamp) = (format!("é{}", number * 7 % 5), format!("2026-01-{:02}T00:00:00", 1 + number * 11 % 9));
            let id = format!("{:02}", number * 13 % 40);
            bench.keep(&id, json!({"label": label, "data_timestamp": timestamp, "value": number % 2})).await;
            made.push((label, timestamp, number, id));
        }
        type Key = fn(&(String, String, usize, String)) -> (String, String, usize);
        let orders: [(&str, Key); 3] = [
            ("sequence", |made| (String::new(), String::new(), made.2)),
            ("data_timestamp", |made| (String::new(), made.1.clone(), made.2)),
            ("label", |made| (made.0.clone(), made.1.clone(), made.2)),
        ];
        for (name, key) in orders {
            made.sort_by_key(key);
            for filter in [json!({}), json!({"value": 1}), json!({"label": "é3"})] {
                let wanted = |made: &&(String, String, usize, String)| match filter.as_object().unwrap().keys().next().map(String::as_str) {
                    Some("value") => made.2 % 2 == 1,
                    Some(_) => made.0 == "é3",
                    None => true,
                };
                let mut expected: Vec<String> = made.iter().filter(wanted).map(|made| made.3.clone()).collect();
                for limit in [1, 3, 39, 40, 41] {
                    assert_eq!(walk(&bench, name, limit, &filter).await, expected, "{name} {limit} {filter}");
                }
                expected.reverse();
                assert_eq!(walk(&bench, &format!("-{name}"), 7, &filter).await, expected, "-{name} {filter}");
            }
        }
    }

    async fn a_page_goes_on_where_the_last_one_ended_although_others_write(bench: Bench) {
        for id in ["a", "b", "c"] {
            bench.keep(id, json!({})).await;
        }
        let request = |after| PageRequest { order: "sequence".parse().unwrap(), limit: Some(2), after, ..PageRequest::default() };
        let first = page(&bench, request(None)).await.unwrap();
        bench.datapoints.delete(&bench.owner, PROJECT, "b").await.unwrap();
        bench.keep("d", json!({})).await;
        let second = page(&bench, request(first.next)).await.unwrap();
        let ids: Vec<String> = second.items.iter().map(|item| id_of(item)).collect();
        assert_eq!((ids.concat(), second.next), ("cd".to_owned(), None));
    }

    async fn fields_are_chosen_and_numbers_keep_their_text(bench: Bench) {
        bench.keep("x", json!({"value": {"t": 1.0, "u": [1, {"v": 2, "w": 3}]}})).await;
        let fields = Some(vec!["value.t".to_owned(), "value.u.v".to_owned()]);
        let page = page(&bench, PageRequest { fields, ..PageRequest::default() }).await.unwrap();
        assert_eq!(&*page.items[0], r#"{"_id":"x","value":{"t":1.0,"u":[{"v":2}]}}"#);
    }

    async fn a_span_of_time_is_of_real_time(bench: Bench) {
        // Local time is two hours ahead of UTC here.
        bench.keep("local", json!({"data_timestamp": "2026-01-01T12:00:00"})).await;
        bench.keep("utc", json!({"data_timestamp": "2026-01-01T11:00:00Z"})).await;
        bench.keep("west", json!({"data_timestamp": "2026-01-01T01:00:00-08:00"})).await;
        let at = |text: &str| Some(text.parse::<Instant>().unwrap());
        let within = async |since, until| {
            let page = page(&bench, PageRequest { since, until, order: "sequence".parse().unwrap(), ..PageRequest::default() }).await.unwrap();
            page.items.iter().map(|item| id_of(item)).collect::<Vec<_>>().join(",")
        };
        assert_eq!(within(at("2026-01-01T10:00:00Z"), None).await, "local,utc");
        assert_eq!(within(None, at("2026-01-01T10:00:00Z")).await, "west");
        assert_eq!(within(at("2026-01-01T09:00:00Z"), at("2026-01-01T11:00:00Z")).await, "local,west");
    }

    async fn what_cannot_be_asked_is_refused(bench: Bench) {
        let refused = async |request| matches!(page(&bench, request).await, Err(DatapointError::Parameter { .. }));
        for limit in [0, 1_001] {
            assert!(refused(PageRequest { limit: Some(limit), ..PageRequest::default() }).await);
        }
        for after in ["", "x", "2d74", &"7".repeat(101)] {
            assert!(refused(PageRequest { after: Some(after.to_owned()), ..PageRequest::default() }).await, "{after}");
        }
        assert!(refused(PageRequest { fields: Some(vec!["a..b".to_owned()]), ..PageRequest::default() }).await);
    }
}
