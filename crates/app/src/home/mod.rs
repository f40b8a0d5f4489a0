//! The home: the one directory in which an installation keeps everything that is its own.

mod identity;
mod lock;
mod signing;

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use holotype_catalog::CatalogError;
use holotype_core::Category;

pub use identity::Manager;
pub use lock::{Holder, HomeLock};
pub use signing::SigningKey;

use crate::config::Origin;
use crate::{Environment, config, files};

/// A home by its directory, which need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// What keeps a home from being used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Nothing says where the home is.
    #[error("no home: give --home DIR, or set HOLOTYPE_HOME (HOME is not set either)")]
    Nowhere,
    /// There is no home at this place.
    #[error("there is no home at {path}: `holotype --home {path} init` makes one", path = .path.display())]
    Absent {
        /// The directory.
        path: PathBuf,
    },
    /// Another process holds the home.
    #[error("the home {path} is in use by {}: stop it, or talk to it with --server URL", lock::named(.holder), path = .path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Who holds it, if that can be read.
        holder: Option<Holder>,
    },
    /// Something in the home cannot be written.
    #[error("{path} cannot be written: {source}; the home must be on a disk that this user may write", path = .path.display())]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something in the home, or a registry beside it, cannot be read.
    #[error("{path} cannot be read: {problem}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// There are no random bits for a new identity.
    #[error("the home gets no identity: {0}")]
    Random(CatalogError),
}

impl HomeError {
    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            HomeError::Nowhere => Category::Invalid,
            HomeError::Absent { .. } => Category::NotFound,
            HomeError::InUse { .. } => Category::Busy,
            HomeError::NotWritable { .. } | HomeError::Unreadable { .. } | HomeError::Random(_) => {
                Category::Unavailable
            }
        }
    }
}

impl Home {
    /// The home in this absolute directory.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The home to work with: the flag's, else the one of `HOLOTYPE_HOME`, else the nearest `.holotype/` from the
    /// working directory upwards, else the platform's directory for a user's data.
    ///
    /// # Errors
    /// [`HomeError::Nowhere`] if none of these says anything.
    pub fn locate(flag: Option<&Path>, environment: &Environment) -> Result<(Self, Origin), HomeError> {
        if let Some(path) = flag {
            return Ok((Self::at(environment.absolute(path)), Origin::Flag("home".to_owned())));
        }
        if let Some(path) = environment.get("HOLOTYPE_HOME") {
            let origin = Origin::Variable("HOLOTYPE_HOME".to_owned());
            return Ok((Self::at(environment.absolute(Path::new(path))), origin));
        }
        let upwards = environment.directory().ancestors().map(|directory| directory.join(".holotype"));
        if let Some(root) = upwards.into_iter().find(|path| path.is_dir()) {
            let origin = Origin::File(root.clone());
            return Ok((Self::at(root), origin));
        }
        let root = data_directory(environment).ok_or(HomeError::Nowhere)?.join("holotype");
        Ok((Self::at(root), Origin::Default))
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `holotype.toml`. A home is one because this file is there.
    pub fn config_file(&self) -> PathBuf {
        self.root.join("holotype.toml")
    }

    /// Where the catalog is unless the configuration says otherwise.
    pub fn catalog_file(&self) -> PathBuf {
        self.root.join("catalog.db")
    }

    /// Where blobs are unless the configuration says otherwise.
    pub fn store_directory(&self) -> PathBuf {
        self.root.join("store")
    }

    /// Where blobs wait for a bucket.
    pub fn spool_directory(&self) -> PathBuf {
        self.root.join("spool")
    }

    /// Where operations on frames have their scratch folders.
    pub fn scratch_directory(&self) -> PathBuf {
        self.root.join("scratch")
    }

    /// Where answers of catalogues of the sky are kept; it may be emptied at any time.
    pub fn sky_directory(&self) -> PathBuf {
        self.root.join("cache").join("sky")
    }

    /// Where backups are made.
    pub fn backups_directory(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// The Unix socket on which a running server answers commands of this home.
    pub fn socket(&self) -> PathBuf {
        self.root.join("holotype.sock")
    }

    /// The manager's identity.
    pub fn registry_file(&self) -> PathBuf {
        self.root.join("registry.json")
    }

    /// Whether there is a home at this place.
    pub fn exists(&self) -> bool {
        self.config_file().is_file()
    }

    /// Refuses a place at which there is no home.
    pub fn require(&self) -> Result<(), HomeError> {
        if self.exists() { Ok(()) } else { Err(HomeError::Absent { path: self.root.clone() }) }
    }

    /// Makes what a home consists of, for its owner only, and keeps what is there.
    pub fn create(&self) -> Result<(), HomeError> {
        let not_writable = |path: &Path| {
            let path = path.to_owned();
            move |source| HomeError::NotWritable { path, source }
        };
        for directory in [self.root.clone(), self.spool_directory(), self.backups_directory()] {
            private_directory(&directory).map_err(not_writable(&directory))?;
        }
        let path = self.config_file();
        if !self.exists() {
            files::write_text(&path, &config::template()).map_err(not_writable(&path))?;
        }
        Ok(())
    }
}

/// A directory, with those above it, that only its owner may enter.
pub(crate) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Where this platform keeps a user's data.
fn data_directory(environment: &Environment) -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        return environment.user_home().map(|home| home.join("Library/Application Support"));
    }
    let absolute = environment.get("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    absolute.or_else(|| environment.user_home().map(|home| home.join(".local/share")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)], directory: &Path) -> Environment {
        Environment::new(variables.iter().map(|(name, value)| (name.to_string(), value.to_string())), directory)
    }

    #[test]
    fn the_home_is_looked_for_in_the_order_that_is_documented() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("lab/deep");
        std::fs::create_dir_all(&below).unwrap();
        let variables = [("HOLOTYPE_HOME", "/by/variable"), ("XDG_DATA_HOME", "/by/platform"), ("HOME", "/home/ada")];

        let (home, origin) = Home::locate(Some(Path::new("by-flag")), &environment(&variables, &below)).unwrap();
        assert_eq!((home.root(), origin.to_string().as_str()), (below.join("by-flag").as_path(), "flag --home"));

        let (home, _) = Home::locate(None, &environment(&variables, &below)).unwrap();
        assert_eq!(home.root(), Path::new("/by/variable"));

        std::fs::create_dir(folder.path().join("lab/.holotype")).unwrap();
        let (home, _) = Home::locate(None, &environment(&variables[1..], &below)).unwrap();
        assert_eq!(home.root(), folder.path().join("lab/.holotype"));

        let (home, origin) = Home::locate(None, &environment(&variables[1..], folder.path())).unwrap();
        assert_eq!((home.root(), origin), (Path::new("/by/platform/holotype"), Origin::Default));

        let nowhere = Home::locate(None, &environment(&[], folder.path())).unwrap_err();
        assert!(nowhere.to_string().contains("HOLOTYPE_HOME"), "{nowhere}");
    }

    #[test]
    fn a_place_without_a_home_names_the_command_that_makes_one() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let error = home.require().unwrap_err();
        assert_eq!(error.category(), Category::NotFound);
        assert!(error.to_string().contains("init"), "{error}");
        home.create().unwrap();
        home.require().unwrap();
    }

    #[test]
    fn making_a_home_again_keeps_its_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("new/home"));
        home.create().unwrap();
        std::fs::write(home.config_file(), "listen = '127.0.0.1:1'").unwrap();
        home.create().unwrap();
        assert_eq!(std::fs::read_to_string(home.config_file()).unwrap(), "listen = '127.0.0.1:1'");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_enter_a_home() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        assert_eq!(home.root().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_home_on_a_read_only_disk_is_refused_by_name() {
        // Nobody can make files there, not even root.
        let error = Home::at("/sys/holotype").create().unwrap_err();
        assert_eq!(error.category(), Category::Unavailable);
        assert!(error.to_string().starts_with("/sys/holotype cannot be written"), "{error}");
    }
}
