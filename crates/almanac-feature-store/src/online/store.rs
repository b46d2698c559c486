//! The online store as it is read: everything in memory, immutable, replaced as a whole.
//!
//! A lookup takes what is there now and keeps it until it is answered; a new materialisation is loaded beside it and then takes its
//! place. Nobody waits. What cannot be loaded leaves the old values in place, and says so in the log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use rayon::prelude::*;

use super::manifest::Manifest;
use super::segment;
use crate::FeatureError;
use crate::declaration::{Declarations, View};
use crate::plan::Plan;
use crate::rows::{Rows, index_of};
use crate::table::EventTable;

/// A view as it is served.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) view: View,
    pub(super) plan: Plan,
    pub(super) table: EventTable,
    pub(super) manifest: Manifest,
}

/// Everything that is served.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) declarations: Declarations,
    /// Hash of the text that was declared.
    text: Option<blake3::Hash>,
    pub(super) views: BTreeMap<String, Arc<Served>>,
    /// Why a view is not served.
    pub(super) absent: BTreeMap<String, String>,
}

/// The newest values of all views.
#[derive(Debug)]
pub struct OnlineStore {
    declared: PathBuf,
    folder: PathBuf,
    state: ArcSwap<State>,
    refreshing: Mutex<()>,
}

impl OnlineStore {
    /// Opens the store: reads the declarations and loads what is materialised. `declared`: the file of declarations; `folder`: that of
    /// all views. A file that is not there declares nothing yet.
    ///
    /// # Errors
    /// [`FeatureError`] for declarations that do not hold together. A view that cannot be loaded is not served, and says why.
    pub fn open(declared: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Result<Self, FeatureError> {
        let store = Self { declared: declared.into(), folder: folder.into(), state: ArcSwap::default(), refreshing: Mutex::new(()) };
        store.refresh()?;
        Ok(store)
    }

    /// Returns what is declared.
    pub fn declarations(&self) -> Declarations {
        self.state.load().declarations.clone()
    }

    /// Returns the folder of all views.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the number of entities of a view, the bytes it takes in memory, and until when it is materialised.
    pub fn size(&self, view: &str) -> Option<(usize, usize, crate::Micros)> {
        let state = self.state.load();
        state.views.get(view).map(|served| (served.table.keys.len(), served.table.bytes(), served.manifest.until))
    }

    /// Returns why a view is not served.
    pub fn why_absent(&self, view: &str) -> Option<String> {
        self.state.load().absent.get(view).cloned()
    }

    pub(super) fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// Takes over what was declared or materialised since the last look. Returns whether something was.
    ///
    /// # Errors
    /// [`FeatureError`] for declarations that cannot be read; what was served goes on.
    pub fn refresh(&self) -> Result<bool, FeatureError> {
        let _one = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.state.load_full();
        let (text, declarations) = self.declared_now(&before)?;
        let mut state = State { declarations, text, ..State::default() };
        let mut is_new = state.text != before.text;
        let wanted: Vec<&View> = state.declarations.views.iter().filter(|view| view.online).collect();
        let loaded: Vec<_> = wanted.par_iter().map(|view| (view.name.clone(), self.load(view, before.views.get(&view.name)))).collect();
        for (name, result) in loaded {
            let known = before.views.get(&name);
            match result {
                Ok(served) => {
                    is_new |= known.is_none_or(|known| !Arc::ptr_eq(known, &served));
                    state.views.insert(name, served);
                }
                Err(why) => {
                    let why = why.to_string();
                    if before.absent.get(&name) != Some(&why) {
                        is_new = true;
                        tracing::warn!(view = name, why, "online values are not loaded");
                    }
                    if let Some(known) = known {
                        state.views.insert(name.clone(), Arc::clone(known));
                    }
                    state.absent.insert(name, why);
                }
            }
        }
        if is_new {
            self.state.store(Arc::new(state));
        }
        Ok(is_new)
    }

    fn declared_now(&self, before: &State) -> Result<(Option<blake3::Hash>, Declarations), FeatureError> {
        let text = match std::fs::read_to_string(&self.declared) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((None, Declarations::default())),
            Err(error) => return Err(FeatureError::read(&self.declared, error)),
        };
        let hash = Some(blake3::hash(text.as_bytes()));
        if hash == before.text {
            return Ok((hash, before.declarations.clone()));
        }
        Ok((hash, Declarations::parse(&text, &self.declared)?))
    }

    fn load(&self, view: &View, before: Option<&Arc<Served>>) -> Result<Arc<Served>, FeatureError> {
        let folder = self.folder.join(&view.name);
        let absent = |reason: &str| FeatureError::NotServed { view: view.name.clone(), reason: reason.to_owned() };
        // Segments go when they are put together: then the manifest is another one.
        for _ in 0..3 {
            let manifest = Manifest::read(&folder)?.ok_or_else(|| absent("it is not materialised"))?;
            if let Some(before) = before
                && before.manifest == manifest
                && before.view == *view
            {
                return Ok(Arc::clone(before));
            }
            if manifest.declaration != view.fingerprint() {
                return Err(absent("its declaration has changed since it was materialised"));
            }
            match Served::load(&folder, view, manifest) {
                Err(FeatureError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                other => return Ok(Arc::new(other?)),
            }
        }
        Err(absent("its files change faster than they can be read"))
    }

    /// Looks for something new from time to time, on a thread of its own, until the watch is dropped.
    pub fn watch(self: &Arc<Self>, every: Duration) -> Watch {
        let (stop, stopped) = channel::<()>();
        let store = Arc::clone(self);
        let thread = std::thread::Builder::new().name("online-features".to_owned()).spawn(move || {
            let mut last = String::new();
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let problem = store.refresh().err().map(|error| error.to_string()).unwrap_or_default();
                // The same trouble is told once.
                if !problem.is_empty() && problem != last {
                    tracing::warn!(problem, "new feature declarations are not taken over");
                }
                last = problem;
            }
        });
        Watch { stop: Some(stop), thread: thread.map_err(|error| tracing::error!(%error, "no thread to watch online values")).ok() }
    }
}

impl Served {
    fn load(folder: &Path, view: &View, manifest: Manifest) -> Result<Self, FeatureError> {
        let plan = Plan::whole(view);
        let read = manifest.segments.par_iter().map(|file| segment::read(folder, file, view, &plan));
        let mut rows = Rows::stack(read.collect::<Result<Vec<_>, _>>()?, view, &plan, &format!("feature view `{}`", view.name))?;
        let (index, entities) = index_of(view, &std::mem::take(&mut rows.keys), rows.len())?;
        let table = EventTable::new(Arc::new(index), &entities, rows.times, rows.created, rows.columns);
        plan.check(&table.kinds())?;
        Ok(Self { view: view.clone(), plan, table, manifest })
    }
}

/// A thread that looks for new values; it ends with this.
#[derive(Debug)]
pub struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread is in the log already.
            let _ = thread.join();
        }
    }
}
