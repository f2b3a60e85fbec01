//! Files that are either the old or the new one, whatever happens in between.

use crate::error::{Error, Result, bail};
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file so that a crash, a full disk or an error of `write` leaves the old one as it was: `write` fills a temporary file in the same
/// folder, which is flushed to the disk and then takes the name; the folder is flushed too.
///
/// A link is followed: the file it points to is replaced. The permissions of a file that is there are kept; one that may not be written to is
/// not replaced.
///
/// # Errors
/// One sentence, if the folder or the file may not be written to, the path is a folder or a device, or the disk is full.
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use std::io::Write;
/// let path = std::env::temp_dir().join("cresset_atomic_example.csv");
/// cresset_io::atomic_write(&path, |file| {
///     writeln!(file, "epoch,loss")?;
///     writeln!(file, "1,0.25")?;
///     Ok(())
/// })?;
/// assert!(std::fs::read_to_string(&path).unwrap().ends_with("1,0.25\n"));
/// # std::fs::remove_file(path).unwrap();
/// # Ok(()) }
/// ```
pub fn atomic_write(path: impl AsRef<Path>, write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>) -> Result<()> {
    let path = path.as_ref();
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let refuse = |e| Error::io(format_args!("{}: cannot be written", path.display()), e);
    let old = fs::metadata(&target).ok();
    if let Some(old) = &old
        && !old.is_file()
    {
        let what = if old.is_dir() { "is a folder, not a file" } else { "is a device or a pipe, not a file" };
        bail!("{}: cannot be written: {what}", path.display());
    }
    // A file that may not be written to is not replaced either.
    let old_file = old.as_ref().map(|_| OpenOptions::new().write(true).open(&target)).transpose().map_err(refuse)?;
    let (Some(name), folder) = (target.file_name(), target.parent()) else {
        bail!("{}: cannot be written: is no name of a file", path.display());
    };
    let folder = folder.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sweep(folder, &name.to_string_lossy());
    let temporary = Temporary::create(folder, &name.to_string_lossy()).map_err(refuse)?;
    let mut out = BufWriter::with_capacity(1 << 18, &temporary.file);
    write(&mut out).map_err(|e| match e.io_error() {
        Some(io) => Error::io(format_args!("{}: cannot be written", path.display()), io.kind().into()),
        None => e.in_file(path),
    })?;
    out.flush().map_err(refuse)?;
    drop(out);
    if let Some(old) = &old {
        temporary.file.set_permissions(old.permissions()).map_err(refuse)?;
    }
    temporary.file.sync_all().map_err(refuse)?;
    // Elsewhere than on Unix an open file cannot be replaced.
    let old_file = old_file.filter(|_| cfg!(unix) && old.is_some_and(|old| old.len() >= LARGE));
    temporary.rename(&target).map_err(refuse)?;
    // A folder can be opened and flushed on Unix only; elsewhere the rename is all there is.
    #[cfg(unix)]
    File::open(folder).and_then(|f| f.sync_all()).map_err(refuse)?;
    if let Some(file) = old_file {
        // The last handle of the old file goes elsewhere: here the rename would wait until the system has let go its pages and blocks, for 400 MB a
        // quarter of the whole save. If there is no thread to be had, it is closed here.
        let _ = std::thread::Builder::new().spawn(move || drop(file));
    }
    Ok(())
}

/// Of files of this size the system takes long to forget what they held.
const LARGE: u64 = 16 << 20;

/// The beginning of the names of temporary files for a file.
fn beginning(name: &str) -> String {
    format!(".{}.", name.chars().take(60).collect::<String>())
}

/// Removes what processes have left that were killed while they wrote this file. (Where it cannot be told whether a process lives, nothing.)
fn sweep(folder: &Path, name: &str) {
    let running = Path::new("/proc/self");
    if !running.exists() {
        return;
    }
    let beginning = beginning(name);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let left = entry.file_name();
        let left = left.to_string_lossy();
        let process = left
            .strip_prefix(&*beginning)
            .and_then(|rest| rest.strip_suffix(".tmp"))
            .and_then(|rest| rest.split_once('.'))
            .filter(|(process, n)| process.parse::<u32>().is_ok() && n.parse::<u64>().is_ok());
        if let Some((process, _)) = process
            && !Path::new("/proc").join(process).exists()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file that is removed unless it got its name.
struct Temporary {
    file: File,
    path: PathBuf,
    named: bool,
}

impl Temporary {
    fn create(folder: &Path, name: &str) -> std::io::Result<Temporary> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let beginning = beginning(name);
        loop {
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{beginning}{}.{n}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Temporary { file, path, named: false }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }
    fn rename(mut self, target: &Path) -> std::io::Result<()> {
        fs::rename(&self.path, target)?;
        self.named = true;
        Ok(())
    }
}
impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.named {
            let _ = fs::remove_file(&self.path);
        }
    }
}
