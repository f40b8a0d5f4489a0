//! The distortion of a camera as polynomials in pixels: the SIP convention (Shupe and others 2005).

use super::number;
use crate::{FitsError, Header};

/// The greatest order that the convention knows.
const GREATEST_ORDER: i64 = 9;

/// Steps after which the search for an inverse gives up; where the distortion is that of a real camera, four are enough.
const GREATEST_STEPS: usize = 40;

/// The search ends when a step is smaller than this fraction of the offset (or of a pixel).
const PRECISION: f64 = 1e-12;

/// The distortion that is added to an offset from the reference pixel, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sip {
    a: Polynomial,
    b: Polynomial,
}

#[derive(Debug, Clone, PartialEq)]
struct Polynomial(Vec<Term>);

/// `coefficient * u^p * v^q`
#[derive(Debug, Clone, Copy, PartialEq)]
struct Term {
    p: i32,
    q: i32,
    coefficient: f64,
}

/// A polynomial's value at a point and its slopes along u and v.
struct Local {
    value: f64,
    along_u: f64,
    along_v: f64,
}

impl Sip {
    /// The distortion that a header describes, if it does. The polynomials for the way back (`AP`, `BP`) are not read: they
    /// only approximate the inverse.
    pub(super) fn from_header(header: &Header) -> Result<Option<Self>, FitsError> {
        match (order(header, "A_ORDER")?, order(header, "B_ORDER")?) {
            (None, None) => Ok(None),
            (Some(a), Some(b)) => Ok(Some(Self {
                a: Polynomial::from_header(header, "A", a)?,
                b: Polynomial::from_header(header, "B", b)?,
            })),
            (Some(_), None) => Err(FitsError::header("B_ORDER", "it is missing, and A_ORDER is there")),
            (None, Some(_)) => Err(FitsError::header("A_ORDER", "it is missing, and B_ORDER is there")),
        }
    }

    /// The offset without distortion, from the one in the image.
    pub(super) fn undistorted(&self, [u, v]: [f64; 2]) -> [f64; 2] {
        [u + self.a.at(u, v).value, v + self.b.at(u, v).value]
    }

    /// The offset in the image, from the one without distortion, by Newton's method; nothing where it finds none.
    pub(super) fn distorted(&self, target: [f64; 2]) -> Option<[f64; 2]> {
        let [mut u, mut v] = target;
        for _ in 0..GREATEST_STEPS {
            let (a, b) = (self.a.at(u, v), self.b.at(u, v));
            let error = [target[0] - u - a.value, target[1] - v - b.value];
            let slopes = [[1.0 + a.along_u, a.along_v], [b.along_u, 1.0 + b.along_v]];
            let [du, dv] = super::linear::apply(&super::linear::inverse(slopes)?, error);
            (u, v) = (u + du, v + dv);
            if du.hypot(dv) <= PRECISION * u.hypot(v).max(1.0) {
                return Some([u, v]);
            }
        }
        None
    }
}

impl Polynomial {
    fn from_header(header: &Header, letter: &str, order: i32) -> Result<Self, FitsError> {
        let mut terms = Vec::new();
        for p in 0..=order {
            for q in 0..=order - p {
                if let Some(coefficient) = number(header, &format!("{letter}_{p}_{q}"))? {
                    terms.push(Term { p, q, coefficient });
                }
            }
        }
        Ok(Self(terms))
    }

    fn at(&self, u: f64, v: f64) -> Local {
        let mut local = Local { value: 0.0, along_u: 0.0, along_v: 0.0 };
        for &Term { p, q, coefficient } in &self.0 {
            local.value += coefficient * u.powi(p) * v.powi(q);
            if p > 0 {
                local.along_u += coefficient * f64::from(p) * u.powi(p - 1) * v.powi(q);
            }
            if q > 0 {
                local.along_v += coefficient * f64::from(q) * u.powi(p) * v.powi(q - 1);
            }
        }
        local
    }
}

fn order(header: &Header, keyword: &str) -> Result<Option<i32>, FitsError> {
    if header.value(keyword).is_none() {
        return Ok(None);
    }
    match header.integer(keyword) {
        Some(order @ 0..=GREATEST_ORDER) => Ok(i32::try_from(order).ok()),
        _ => Err(FitsError::header(keyword, format!("it is not a whole number from 0 to {GREATEST_ORDER}"))),
    }
}
