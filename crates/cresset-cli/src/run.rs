//! A run's folder, and how a run is stopped.

use crate::checkpoint;
use crate::failure::{Failure, Result};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Where a run writes.
pub struct RunFolder {
    path: PathBuf,
    /// Made by this process: it goes again if nothing was written into it.
    made: bool,
}

impl RunFolder {
    /// `out/name`, or without a name the first free one of `out/like`, `out/like-2`, ... Nothing is made yet.
    pub fn choose(out: &Path, name: Option<&str>, like: &str) -> Result<RunFolder> {
        let taken = |path: &Path| path.join(checkpoint::FILE).exists() || path.is_file();
        let path = match name {
            Some(name) => {
                let mut parts = Path::new(name).components();
                if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                    return Err(Failure::new(format!(
                        "--name {name:?} is not the name of a folder; --out says where it lies"
                    )));
                }
                let path = out.join(name);
                if taken(&path) {
                    let at = path.display();
                    return Err(Failure::new(format!(
                        "{at}: there is such a run; choose another --name, or go on with it: --resume {at}"
                    )));
                }
                path
            }
            None => {
                let numbered = (2..).map(|i| out.join(format!("{like}-{i}")));
                let mut names = std::iter::once(out.join(like)).chain(numbered);
                names.find(|path| !taken(path)).unwrap_or_else(|| out.join(like))
            }
        };
        Ok(RunFolder { path, made: false })
    }
    /// The folder of a run that is there.
    pub fn existing(run: &Path) -> Result<RunFolder> {
        let file = checkpoint::path_of(run);
        let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(RunFolder { path: folder.to_path_buf(), made: false })
    }
    /// Makes the folder.
    pub fn create(&mut self) -> Result<()> {
        self.made = !self.path.exists();
        std::fs::create_dir_all(&self.path)
            .map_err(|e| Failure::new(format!("{}: the folder cannot be made: {e}", self.path.display())))
    }
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if self.made {
            // Only an empty one goes.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

/// Ctrl-C, or a number of batches after which it is as if it had been pressed.
pub struct Stop {
    asked: Arc<AtomicBool>,
    batches: AtomicUsize,
    most: Option<usize>,
}

impl Stop {
    /// From now on Ctrl-C (and a request to end) stops at the next batch; a second one ends the program at once.
    pub fn listen(most: Option<usize>) -> Stop {
        let asked = Arc::new(AtomicBool::new(false));
        let flag = asked.clone();
        // Without a handler Ctrl-C ends the program, and the last epoch's checkpoint is what remains.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Relaxed) {
                std::process::exit(130);
            }
        });
        Stop { asked, batches: AtomicUsize::new(0), most }
    }
    /// Counts a batch; true if it shall be the last.
    pub fn after_batch(&self) -> bool {
        let done = self.batches.fetch_add(1, Relaxed) + 1;
        if self.most == Some(done) {
            self.asked.store(true, Relaxed);
        }
        self.is_asked()
    }
    /// Shall the run stop?
    pub fn is_asked(&self) -> bool {
        self.asked.load(Relaxed)
    }
}
