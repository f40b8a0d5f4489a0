//! Puts standard input into a store in a directory, and says its digest once it is durable.
//!
//! `cargo run -p holotype-store --example store_put -- /tmp/store < FILE`
//!
//! The crate's tests trace and kill this program.

use std::io::Write;
use std::path::PathBuf;

use holotype_store::{Location, Store};
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: store_put DIRECTORY < FILE")?;
    let store = Store::open(Location::Directory(root.clone()), root)?;
    let mut upload = store.begin();
    let mut input = tokio::io::stdin();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = input.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        upload.write(&buffer[..read]).await?;
    }
    let staged = upload.finish().await?;
    let line = format!("{}\n", staged.digest());
    staged.publish().await?;
    std::io::stdout().write_all(line.as_bytes())?;
    Ok(())
}
