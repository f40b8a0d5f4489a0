//! Finding frames: filters, the sky, orders, pages.

use holotype_archives::frames::{
    Facts, Filter, FrameQuery, FrameRecord, NumberField, Order, OrderField, PageRequest, Point, Position, Region,
    Shape, TextField, Viewer,
};
use holotype_testkit::on_both_engines;

use crate::bench::{Bench, fits, names, observed, text};

/// Six frames: five minutes apart on the sky, the last without anything known of it.
async fn filled(bench: &Bench) {
    for (number, (proposal, target, ra, dec)) in [
        ("p1", "M 31", 10.0, 20.0),
        ("p1", "Hochst", 179.95, -30.0),
        ("p2", "m 31", -179.95, -30.0),
        ("p2", "", 0.0, 89.0),
        ("p1", "OGLE_1%", 266.76, -34.19),
    ]
    .into_iter()
    .enumerate()
    {
        let mut cards = observed(number as u32 * 5, proposal, target, (ra, dec));
        cards.retain(|(keyword, _)| *keyword != "EXPTIME");
        cards.push(("EXPTIME", holotype_fits::Value::Real(10.5 * (number as f64 + 1.0))));
        if number == 3 {
            cards.retain(|(keyword, _)| *keyword != "OBSTYPE");
            cards.push(("OBSTYPE", text("BIAS")));
        }
        bench.ingest(&format!("Frame-{number}.fits"), &fits(&cards, number as u8)).await;
    }
    // A header has no accents; what another archive says of a frame may.
    let facts = Facts { basename: "Frame-1".to_owned(), target_name: Some("Höchst".to_owned()), ..Facts::default() };
    bench.archives.record(&bench.owner, FrameRecord { facts, versions: vec![] }).await.unwrap();
    bench.ingest("other.fits", &fits(&[], 99)).await;
}

fn at(minute: u32) -> holotype_core::Instant {
    format!("2024-07-15T00:{minute:02}:00Z").parse().unwrap()
}

on_both_engines! {
    async fn every_filter_narrows(bench: Bench) {
        filled(&bench).await;
        let find = |filter: Filter| bench.find(vec![filter]);
        let text = |text: &str| text.to_owned();
        assert_eq!(find(Filter::From(at(10))).await, ["Frame-4", "Frame-3", "Frame-2"]);
        assert_eq!(find(Filter::Until(at(5))).await, ["Frame-1", "Frame-0"]);
        assert_eq!(find(Filter::ObservedAt(at(5))).await, ["Frame-1"]);
        assert_eq!(find(Filter::Night(text("2024-07-14"))).await.len(), 5);
        assert_eq!(find(Filter::NameHas(text("FRAME-1"))).await, ["Frame-1"]);
        assert_eq!(find(Filter::NameHas(text("_"))).await, [""; 0], "no wildcard");
        assert_eq!(find(Filter::Name(text("frame-1"))).await, [""; 0]);
        assert_eq!(find(Filter::TargetHas(text("HOCHST"))).await, ["Frame-1"]);
        assert_eq!(find(Filter::TargetHas(text("1%"))).await, ["Frame-4"]);
        assert_eq!(find(Filter::TargetHas(text("M 3"))).await, ["Frame-2", "Frame-0"]);
        assert_eq!(find(Filter::Target(text("M 31"))).await, ["Frame-0"]);
        assert_eq!(find(Filter::NoTarget).await, ["Frame-3"]);
        assert_eq!(find(Filter::ExposedFor(42.0)).await, ["Frame-4", "Frame-3"]);
        assert_eq!(find(Filter::Text(TextField::Proposal, text("p2"))).await, ["Frame-3", "Frame-2"]);
        assert_eq!(find(Filter::Number(NumberField::Request, 3_600_001)).await.len(), 5);
        assert_eq!(find(Filter::KindIn(vec![text("BIAS"), text("DARK")])).await, ["Frame-3"]);
        assert_eq!(find(Filter::KindNotIn(vec![text("EXPOSE")])).await, ["Frame-3", "other"], "what is not known is not of that kind");
        let both = vec![Filter::From(at(5)), Filter::Text(TextField::Proposal, text("p1"))];
        assert_eq!(bench.find(both).await, ["Frame-4", "Frame-1"]);
    }

    async fn the_sky_is_round(bench: Bench) {
        filled(&bench).await;
        let covers = |ra: f64, dec: f64| bench.find(vec![Filter::Covers(Point::new(ra, dec).unwrap())]);
        assert_eq!(covers(10.1, 20.1).await, ["Frame-0"]);
        assert_eq!(covers(180.0, -30.0).await, ["Frame-2", "Frame-1"]);
        assert_eq!(covers(-180.0, -30.0).await, ["Frame-2", "Frame-1"]);
        assert_eq!(covers(266.76, -34.19).await, ["Frame-4"]);
        assert_eq!(covers(-93.24, -34.19).await, ["Frame-4"]);
        assert_eq!(covers(100.0, 0.0).await, [""; 0]);
        let meets = |text: &str| bench.find(vec![Filter::Intersects(Region::from_text(text).unwrap())]);
        assert_eq!(meets("POLYGON((179 -31,181 -31,181 -29,179 -29,179 -31))").await, ["Frame-2", "Frame-1"]);
        assert_eq!(meets("POLYGON((266 -35,268 -35,268 -33,266 -33))").await, ["Frame-4"]);
        assert_eq!(meets("POLYGON((0 85,90 85,180 85,270 85))").await, ["Frame-3"]);
        assert_eq!(meets("POLYGON((10 40,11 40,11 41,10 41))").await, [""; 0]);
    }

    async fn pages_by_number_and_by_place_have_every_frame_once(bench: Bench) {
        filled(&bench).await;
        let near = Region::from_text("POLYGON((170 -40,190 -40,190 -20,170 -20))").unwrap();
        let orders = [OrderField::Id, OrderField::Basename, OrderField::ObservationDate, OrderField::Target, OrderField::ExposureTime, OrderField::ReductionLevel, OrderField::Kind];
        for (field, descending) in orders.into_iter().flat_map(|field| [(field, true), (field, false)]) {
            for filters in [vec![], vec![Filter::Intersects(near.clone())], vec![Filter::Text(TextField::Proposal, "nobody's".to_owned())]] {
                let query = FrameQuery { filters, order: Order { field, descending } };
                let whole = page(&bench, &query, PageRequest::Numbered { limit: 100, offset: 0 }).await;
                let mut numbered = Vec::new();
                for offset in (0..8).step_by(2) {
                    numbered.extend(page(&bench, &query, PageRequest::Numbered { limit: 2, offset }).await);
                }
                assert_eq!(numbered, whole, "{field:?}");
                assert_eq!(walked(&bench, &query).await, whole, "{field:?} {descending}");
            }
        }
    }

    async fn aggregates_are_the_different_values(bench: Bench) {
        filled(&bench).await;
        let found = bench.archives.aggregate(Viewer::Everything, FrameQuery::default()).await.unwrap();
        assert_eq!((found.proposals, found.kinds, found.sites), (vec!["p1".to_owned(), "p2".to_owned()], vec!["BIAS".to_owned(), "EXPOSE".to_owned()], vec!["lsc".to_owned()]));
        let query = FrameQuery { filters: vec![Filter::From(at(15))], ..FrameQuery::default() };
        assert_eq!(bench.archives.aggregate(Viewer::Everything, query).await.unwrap().kinds.len(), 2);
    }
}

async fn page(bench: &Bench, query: &FrameQuery, page: PageRequest) -> Vec<String> {
    names(&bench.archives.frames(Viewer::Everything, query.clone(), page, Shape::default()).await.unwrap().frames)
}

/// All frames, page by page forwards; and on the way back, each page as it was.
async fn walked(bench: &Bench, query: &FrameQuery) -> Vec<String> {
    let ask = async |from: Option<Position>| {
        let page = PageRequest::Placed { limit: 2, from };
        bench.archives.frames(Viewer::Everything, query.clone(), page, Shape::default()).await.unwrap()
    };
    let mut pages = vec![ask(None).await];
    assert_eq!(pages[0].previous, None);
    while let Some(next) = pages.last().unwrap().next.clone() {
        // As it is when it has been somebody's cursor.
        pages.push(ask(Position::from_text(&next.to_text())).await);
    }
    for pair in pages.windows(2).rev() {
        let back = ask(pair[1].previous.clone()).await;
        assert_eq!((names(&back.frames), back.next.is_some()), (names(&pair[0].frames), true));
        assert_eq!(back.previous.is_some(), pair[0].previous.is_some());
    }
    pages.iter().flat_map(|page| names(&page.frames)).collect()
}
