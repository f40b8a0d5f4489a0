//! The socket in the home, through which its owner talks to the running server.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixSocket};

use super::ServeError;

/// Connections that may wait to be taken in.
const BACKLOG: u32 = 1024;

/// Listens on a socket that nobody but its owner can open.
///
/// The home is locked by whoever serves it, so a socket that is already there was left behind and is replaced. The mode
/// is set before anybody can connect.
pub(super) fn listen(path: PathBuf) -> Result<(UnixListener, PathBuf), ServeError> {
    let make = || {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(&path)?,
            Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something that is no socket is there")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let socket = UnixSocket::new_stream()?;
        socket.bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        socket.listen(BACKLOG)
    };
    match make() {
        Ok(listener) => Ok((listener, path)),
        Err(source) => Err(ServeError::Socket { path, source }),
    }
}

/// Removes the socket after the last answer.
pub(super) fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, path = %path.display(), "the socket was already gone");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_replaces_one_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holotype.sock");
        for _ in 0..2 {
            // Dropping a listener leaves its file behind, as a killed server does.
            drop(listen(path.clone()).unwrap());
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        remove(&path);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "mine").unwrap();
        assert!(matches!(listen(path.clone()), Err(ServeError::Socket { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
