//! A repository in a folder of its own, and short ways to look at it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use almanac_versions::{AddOptions, Added, CheckedOut, CheckoutOptions, InitOptions, Repo, Result, Status, VersionsError};

/// A repository that is deleted at the end.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Without git.
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        Repo::init(place.root(), InitOptions { no_scm: true, ..InitOptions::default() }).expect("an empty folder can become one");
        place
    }

    /// With git.
    pub(crate) fn with_git() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        place.git("init -q -b main");
        Repo::init(place.root(), InitOptions::default()).expect("a git repository can become one");
        place
    }

    pub(crate) fn git(&self, line: &str) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
            .args(line.split(' '))
            .current_dir(self.root())
            .output()
            .expect("git is there");
        assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git("add -A");
        self.git(&format!("commit -q -m {message}"));
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn repo(&self) -> Repo {
        Repo::open(self.root()).expect("it was made")
    }

    pub(crate) fn set(&self, option: &str, value: &str) {
        let name = almanac_versions::OptionName::parse(option).expect("an option");
        self.repo().configure(almanac_versions::Level::Project, &name, Some(value)).expect("can be set");
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside")).expect("can be made");
        // A link or a read-only file is replaced.
        let _ = fs::remove_file(&path);
        fs::write(path, text).expect("can be written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("can be removed");
    }

    pub(crate) fn try_add(&self, name: &str) -> Result<Added> {
        self.repo().add(&[self.path(name)], AddOptions::default(), &())
    }

    #[track_caller]
    pub(crate) fn add(&self, name: &str) -> Added {
        self.try_add(name).expect("can be added")
    }

    pub(crate) fn status(&self) -> Status {
        self.repo().status(&[], false, &()).expect("can be told")
    }

    pub(crate) fn try_checkout(&self, options: CheckoutOptions) -> Result<CheckedOut> {
        self.repo().checkout(&[], options, &())
    }

    #[track_caller]
    pub(crate) fn checkout(&self) -> CheckedOut {
        self.try_checkout(CheckoutOptions::default()).expect("can be checked out")
    }

    /// The objects of the cache: place and bytes.
    pub(crate) fn objects(&self) -> Vec<(String, Vec<u8>)> {
        let root = self.path(".dvc/cache/files/md5");
        let mut objects = Vec::new();
        for prefix in fs::read_dir(&root).into_iter().flatten().flatten() {
            for object in fs::read_dir(prefix.path()).into_iter().flatten().flatten() {
                let name = format!("{}/{}", prefix.file_name().to_string_lossy(), object.file_name().to_string_lossy());
                objects.push((name, fs::read(object.path()).expect("can be read")));
            }
        }
        objects.sort();
        objects
    }

    /// Spoils the object that has these bytes.
    pub(crate) fn corrupt(&self, bytes: &str) {
        let (name, _) = self.objects().into_iter().find(|(_, content)| content == bytes.as_bytes()).expect("it is in the cache");
        let path = self.path(".dvc/cache/files/md5").join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("is ours");
        fs::write(&path, "spoilt").expect("can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("is ours");
    }
}

/// The message of an error, with the folder's own name left out.
pub(crate) fn told(place: &Place, error: &VersionsError) -> String {
    let root = fs::canonicalize(place.root()).expect("is there");
    error.to_string().replace(&root.display().to_string(), "ROOT")
}
