//! Networks of exchanges that sort several columns of numbers at once, or as much of each as a median needs.
//!
//! The exchanges are those of Batcher's merge exchange sort for any number of inputs (Knuth, The Art of Computer Programming 3,
//! 5.2.2, Algorithm M). Where not all of the order is wanted, those that do not lead to what is are left out, going backwards.
//! There is no branch on a value, so that neighbouring columns are handled by the same instruction.

/// How many columns are handled together: what the processor does at a time is a part of that.
pub(crate) const LANES: usize = 64;

/// A value of each of [`LANES`] columns.
pub(crate) type Lanes = [f32; LANES];

/// What an exchange is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Both,
    Lower,
    Higher,
}

/// The exchanges that bring what is wanted to its place.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    exchanges: Vec<(u16, u16, Want)>,
}

impl Network {
    /// Sorts `count` values.
    pub(crate) fn sorting(count: u16) -> Self {
        Self { exchanges: merge_exchange(count).into_iter().map(|(low, high)| (low, high, Want::Both)).collect() }
    }

    /// Brings to the place `place` and the `extra` ones behind it what stands there when `count` values are sorted.
    pub(crate) fn selecting(count: u16, place: u16, extra: u16) -> Self {
        let mut wanted: Vec<bool> = (0..count).map(|index| (place..=place + extra).contains(&index)).collect();
        let mut exchanges = Vec::new();
        for (low, high) in merge_exchange(count).into_iter().rev() {
            let (first, second) = (usize::from(low), usize::from(high));
            let want = match (wanted[first], wanted[second]) {
                (false, false) => continue,
                (true, true) => Want::Both,
                (true, false) => Want::Lower,
                (false, true) => Want::Higher,
            };
            (wanted[first], wanted[second]) = (true, true);
            exchanges.push((low, high, want));
        }
        exchanges.reverse();
        Self { exchanges }
    }

    /// Applies the exchanges to each column. There are as many values as the network is for, none of them NaN (a column with
    /// NaN comes out in no order, and does no harm to others).
    pub(crate) fn apply(&self, values: &mut [Lanes]) {
        for &(low, high, want) in &self.exchanges {
            let (first, second) = values.split_at_mut(usize::from(high));
            let (low, high) = (&mut first[usize::from(low)], &mut second[0]);
            match want {
                Want::Both => {
                    for (low, high) in low.iter_mut().zip(high) {
                        let (a, b) = (*low, *high);
                        (*low, *high) = (lower(a, b), higher(a, b));
                    }
                }
                Want::Lower => low.iter_mut().zip(high).for_each(|(low, high)| *low = lower(*low, *high)),
                Want::Higher => low.iter_mut().zip(high).for_each(|(low, high)| *high = higher(*low, *high)),
            }
        }
    }
}

/// One instruction, where `f32::min` asks for NaN too. Of equal values (also of zeros with different signs) this gives the
/// second and [`higher`] the first, so that no value is lost.
#[inline(always)]
fn lower(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn higher(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// The exchanges of Algorithm M, each of a lower and a higher place.
fn merge_exchange(count: u16) -> Vec<(u16, u16)> {
    let mut exchanges = Vec::new();
    let top = u32::from(count).next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            for low in 0..u32::from(count).saturating_sub(d) {
                if low & p == r {
                    exchanges.push((low as u16, (low + d) as u16));
                }
            }
            if q == p {
                break;
            }
            (d, q, r) = (q - p, q / 2, p);
        }
        p /= 2;
    }
    exchanges
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All ways of zeros and ones of `count` values, of which a network that sorts them sorts everything (the 0-1 principle);
    /// the lanes hold as many of them as there are.
    fn zeros_and_ones(count: u16) -> impl Iterator<Item = Vec<Lanes>> {
        let ways = 1_u32 << count;
        (0..ways.div_ceil(LANES as u32)).map(move |block| {
            let bit = |place: u16, lane: usize| ((block * LANES as u32 + lane as u32) % ways) >> place & 1;
            (0..count).map(|place| std::array::from_fn(|lane| bit(place, lane) as f32)).collect()
        })
    }

    #[test]
    fn every_number_of_values_is_sorted() {
        for count in 1..=14 {
            let network = Network::sorting(count);
            for mut values in zeros_and_ones(count) {
                network.apply(&mut values);
                for pair in values.windows(2) {
                    assert!(pair[0].iter().zip(&pair[1]).all(|(a, b)| a <= b), "{count}");
                }
            }
        }
    }

    #[test]
    fn the_middle_comes_to_its_place_with_fewer_exchanges() {
        for count in 2..=14 {
            let (place, extra) = ((count - 1) / 2, 1 - count % 2);
            let (sorting, selecting) = (Network::sorting(count), Network::selecting(count, place, extra));
            assert!(selecting.exchanges.len() <= sorting.exchanges.len());
            for values in zeros_and_ones(count) {
                let (mut sorted, mut selected) = (values.clone(), values);
                sorting.apply(&mut sorted);
                selecting.apply(&mut selected);
                for place in usize::from(place)..=usize::from(place + extra) {
                    assert_eq!(sorted[place], selected[place], "{count}");
                }
            }
        }
    }

    #[test]
    fn large_networks_sort_too() {
        for count in [31_u16, 32, 33, 100, 255, 256] {
            let mut state = u32::from(count);
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32
            };
            let mut values: Vec<Lanes> = (0..count).map(|_| std::array::from_fn(|_| next())).collect();
            let mut columns: Vec<Vec<f32>> =
                (0..LANES).map(|lane| values.iter().map(|lanes| lanes[lane]).collect()).collect();
            Network::sorting(count).apply(&mut values);
            for (lane, column) in columns.iter_mut().enumerate() {
                column.sort_unstable_by(f32::total_cmp);
                assert!(column.iter().zip(&values).all(|(expected, lanes)| *expected == lanes[lane]), "{count}");
            }
        }
    }
}
