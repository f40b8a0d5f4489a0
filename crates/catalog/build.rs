//! The migrations are compiled in: a changed or added file means building again.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
