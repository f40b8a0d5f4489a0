//! Pages of short lists that are read whole: users, tokens, projects, members, backups.

use std::cmp::Ordering;

use holotype_api::Page;

use crate::extract::page_limit;
use crate::problem::Failure;
use crate::project::PageOf;

/// The page of `items` that is asked for, in the order of their keys, which are the cursor.
///
/// They are sorted here, because databases sort text by rules of their own.
pub(super) fn cut<T>(items: Vec<T>, asked: &PageOf, key: impl Fn(&T) -> String) -> Result<Page<T>, Failure> {
    page(items, asked, key, |one, other| one.cmp(other))
}

/// The same, with the greatest key first.
pub(super) fn cut_backwards<T>(items: Vec<T>, asked: &PageOf, key: impl Fn(&T) -> String) -> Result<Page<T>, Failure> {
    page(items, asked, key, |one, other| other.cmp(one))
}

fn page<T>(
    mut items: Vec<T>,
    asked: &PageOf,
    key: impl Fn(&T) -> String,
    order: impl Fn(&String, &String) -> Ordering,
) -> Result<Page<T>, Failure> {
    let limit = page_limit(asked.limit)? as usize;
    items.sort_by(|one, other| order(&key(one), &key(other)));
    let follows = |item: &T| asked.after.as_ref().is_none_or(|after| order(&key(item), after).is_gt());
    let mut rest = items.into_iter().filter(follows);
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let next = rest.next().and(items.last()).map(&key);
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(cut: impl Fn(Vec<String>, &PageOf) -> Result<Page<String>, Failure>) -> String {
        let all: Vec<String> = ["c", "a", "e", "b", "d"].map(str::to_owned).to_vec();
        let (mut seen, mut after) = (String::new(), None);
        loop {
            let page = cut(all.clone(), &PageOf { limit: Some(2), after, project: None }).unwrap();
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                return seen;
            }
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        assert_eq!(walk(|items, asked| cut(items, asked, String::clone)), "abcde");
        assert_eq!(walk(|items, asked| cut_backwards(items, asked, String::clone)), "edcba");
    }

    #[test]
    fn a_full_page_may_be_the_last() {
        let whole = PageOf { limit: Some(2), after: None, project: None };
        assert_eq!(cut(vec![1, 2], &whole, ToString::to_string).unwrap().next, None);
    }
}
