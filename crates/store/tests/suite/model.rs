//! Random histories of a store under faults, against a map in memory.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use holotype_core::Digest;
use holotype_store::{StoreError, Verdict};
use holotype_testkit::fault::{Fault, Operation};
use proptest::prelude::*;

use crate::contract::{read, sample};
use crate::places::{self, Place};

/// One of a few contents, so that histories meet.
type Content = u8;

#[derive(Debug, Clone)]
enum Step {
    Put(Content),
    PutFailing(Content, Operation, Fault),
    Drop(Content),
    Delete(Content),
    DeleteFailing(Content, Fault),
    Read(Content, u64, u64),
    ReadShort(Content, u64),
    List,
}

fn bytes(content: Content) -> Vec<u8> {
    sample(usize::from(content) * 37, 7)
}

fn step() -> impl Strategy<Value = Step> {
    let content = || 0..6_u8;
    let fault =
        || prop_oneof![Just(Fault::Unreachable), Just(Fault::Full), Just(Fault::Denied), Just(Fault::LoseAnswer)];
    let write = prop_oneof![Just(Operation::Put), Just(Operation::Rename), Just(Operation::Head)];
    prop_oneof![
        3 => content().prop_map(Step::Put),
        2 => (content(), write, fault()).prop_map(|(content, operation, fault)| Step::PutFailing(content, operation, fault)),
        1 => content().prop_map(Step::Drop),
        2 => content().prop_map(Step::Delete),
        1 => (content(), fault()).prop_map(|(content, fault)| Step::DeleteFailing(content, fault)),
        2 => (content(), 0..250_u64, 0..250_u64).prop_map(|(content, from, to)| Step::Read(content, from, to)),
        1 => (content(), 0..250_u64).prop_map(|(content, bytes)| Step::ReadShort(content, bytes)),
        1 => Just(Step::List),
    ]
}

/// What should be there.
#[derive(Default)]
struct Model(BTreeMap<Digest, Vec<u8>>);

impl Model {
    async fn take(&mut self, place: &Place, step: Step) {
        let store = &place.store;
        match step {
            Step::Put(content) => {
                store.stage_bytes(&bytes(content)).await.unwrap().publish().await.unwrap();
                self.0.insert(Digest::of(&bytes(content)), bytes(content));
            }
            Step::PutFailing(content, operation, fault) => {
                let staged = store.stage_bytes(&bytes(content)).await.unwrap();
                place.faults.next(operation, fault);
                let outcome = staged.publish().await;
                place.faults.forget();
                if outcome.is_ok() {
                    self.0.insert(Digest::of(&bytes(content)), bytes(content));
                }
                self.learn(place, content, outcome.is_ok() || self.0.contains_key(&Digest::of(&bytes(content)))).await;
            }
            Step::Drop(content) => drop(store.stage_bytes(&bytes(content)).await.unwrap()),
            Step::Delete(content) => {
                store.delete(Digest::of(&bytes(content))).await.unwrap();
                self.0.remove(&Digest::of(&bytes(content)));
            }
            Step::DeleteFailing(content, fault) => {
                place.faults.next(Operation::Delete, fault);
                let outcome = store.delete(Digest::of(&bytes(content))).await;
                place.faults.forget();
                if outcome.is_ok() {
                    self.0.remove(&Digest::of(&bytes(content)));
                }
                self.learn(place, content, false).await;
            }
            Step::Read(content, from, to) => self.read(place, content, from, to).await,
            Step::ReadShort(content, kept) => {
                let digest = Digest::of(&bytes(content));
                let Some(expected) = self.0.get(&digest) else { return };
                place.faults.next(Operation::Get, Fault::ShortRead(kept));
                let outcome = read(store.get(digest, None).await.unwrap()).await;
                assert_eq!(outcome.is_ok(), kept >= expected.len() as u64);
            }
            Step::List => {
                let mut listed: Vec<_> =
                    store.list().map_ok(|blob| (blob.digest, blob.size)).try_collect().await.unwrap();
                listed.sort_unstable();
                let expected: Vec<_> = self.0.iter().map(|(digest, bytes)| (*digest, bytes.len() as u64)).collect();
                assert_eq!(listed, expected);
            }
        }
    }

    async fn read(&self, place: &Place, content: Content, from: u64, to: u64) {
        let digest = Digest::of(&bytes(content));
        let outcome = place.store.get(digest, Some(from..to)).await;
        match self.0.get(&digest) {
            None => assert!(matches!(outcome, Err(StoreError::NotFound { .. }))),
            Some(bytes) if from >= to || from >= bytes.len() as u64 => {
                assert!(matches!(outcome, Err(StoreError::InvalidRange { size, .. }) if size == bytes.len() as u64));
            }
            Some(bytes) => {
                let expected = &bytes[from as usize..bytes.len().min(to as usize)];
                assert_eq!(read(outcome.unwrap()).await.unwrap(), expected);
            }
        }
    }

    /// After a failure only the store knows which of the two it was; but it is one of the two.
    async fn learn(&mut self, place: &Place, content: Content, must_be_there: bool) {
        let digest = Digest::of(&bytes(content));
        match place.store.verify(digest).await.unwrap() {
            Verdict::Intact { .. } => drop(self.0.insert(digest, bytes(content))),
            Verdict::Absent => {
                assert!(!must_be_there, "a failed put took away a blob that was there");
                self.0.remove(&digest);
            }
            damaged @ Verdict::Damaged { .. } => panic!("{damaged:?}"),
        }
    }
}

fn run(steps: Vec<Step>, on_disk: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let place = if on_disk { places::disk().await } else { places::memory().await };
        let mut model = Model::default();
        for step in steps {
            model.take(&place, step).await;
        }
        model.take(&place, Step::List).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_history_in_memory_ends_as_the_model_says(steps in prop::collection::vec(step(), 1..40)) {
        run(steps, false);
    }

    #[test]
    fn any_history_on_disk_ends_as_the_model_says(steps in prop::collection::vec(step(), 1..40)) {
        run(steps, true);
    }
}
