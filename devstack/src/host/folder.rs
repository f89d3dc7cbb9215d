//! Where things lie: the checkout, `target/devstack`, and private data under `/var/tmp`.

use anyhow::{Context, bail};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The checkout.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// `target/devstack`: manifest, Kafka's jars, logs.
#[must_use]
pub fn target() -> PathBuf {
    root().join("target/devstack")
}

/// The folder of private data of one use of the stack (`stack`, `verify`), held by a lock: two
/// runs of one checkout must not end each other's servers.
///
/// It lies under `/var/tmp`, since the user `postgres` cannot enter a checkout below a private
/// folder.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Takes the folder of this checkout and use.
    ///
    /// # Errors
    /// When another run holds it.
    pub fn take(usage: &str) -> anyhow::Result<Self> {
        let path = Path::new("/var/tmp").join(name(usage));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        let lock = File::create(path.join("lock"))?;
        if lock.try_lock().is_err() {
            bail!("another run of this checkout is using {}; stop it first", path.display());
        }
        Ok(Self { path, _lock: lock })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An empty folder inside, belonging to the user if one is given.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn fresh(&self, name: &str, owner: Option<(u32, u32)>) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        if path.exists() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("cannot empty {}", path.display()))?;
        }
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(&path, Some(user), Some(group))?;
        }
        Ok(path)
    }

    /// Removes the folder and all that is in it.
    pub fn remove(self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            super::term::line(&format!("  cannot remove {}: {error}", self.path.display()));
        }
    }
}

/// `milepost-<uid>-<hash of the checkout's path>-<use>`.
fn name(usage: &str) -> String {
    // FNV-1a, 64 bits: any stable hash will do.
    let hash = root()
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("milepost-{}-{hash:016x}-{usage}", nix::unistd::getuid())
}

/// Writes a file that nobody else may read, in one step: a reader sees the old one or the new.
///
/// # Errors
/// When the file system refuses.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("draft");
    fs::write(&draft, text).with_context(|| format!("cannot write {}", draft.display()))?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o600))?;
    fs::rename(&draft, path)?;
    Ok(())
}
