//! `almanac data` when it is killed at any place, runs twice at once, or finds the disk full: real processes, and the same command
//! once more ends where an undisturbed one does.
//!
//! The place is chosen by what the process has written, not by the clock.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::program::{Workplace, files_below};

/// Small files beside one that is copied in pieces.
const FILES: usize = 200;
/// A process is killed when it has written so many of them.
const PLACES: [usize; 4] = [0, 1, 60, 180];

fn start(place: &Workplace, line: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_almanac"))
        .args(["data", "-q", "--threads", "2"])
        .args(line.split(' '))
        .current_dir(place.path(""))
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-key")
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test")
}

#[track_caller]
fn run(place: &Workplace, line: &str) {
    let done = start(place, line).wait_with_output().expect("it ends");
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Kills the process as soon as the condition holds; whether it was still running then.
fn kill_when(mut child: Child, is_time: impl Fn() -> bool) -> bool {
    let is_running = loop {
        if child.try_wait().expect("it is ours").is_some() {
            break false;
        }
        if is_time() {
            break true;
        }
        // Leaves the processor to the process that is watched.
        std::thread::sleep(Duration::from_millis(1));
    };
    child.kill().expect("it is ours");
    child.wait().expect("it is ours");
    is_running
}

/// How many files lie below a folder that others may be changing.
fn count(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|entry| if entry.file_type().is_ok_and(|kind| kind.is_dir()) { count(&entry.path()) } else { 1 }).sum()
}

fn stock(place: &Workplace) {
    assert_eq!(place.almanac("data init --no-scm").code, Some(0));
    let folder = place.path("d");
    for at in 0..FILES {
        let folder = folder.join((at % 7).to_string());
        fs::create_dir_all(&folder).expect("can be made");
        fs::write(folder.join(at.to_string()), format!("content of {at}").repeat(50)).expect("can be written");
    }
    fs::write(folder.join("large"), large()).expect("can be written");
    run(place, "remote add -d store remote");
}

/// Large enough to be copied in pieces.
fn large() -> Vec<u8> {
    (0..9_u32 << 18).flat_map(u32::to_le_bytes).collect()
}

/// Everything that counts: the data, its pointer, the cache, the remote.
fn state(place: &Workplace) -> Vec<(PathBuf, Vec<u8>)> {
    let root = place.path("");
    let mut all = Vec::new();
    for part in ["d", ".dvc/cache/files", "remote/files"] {
        let folder = root.join(part);
        if folder.is_dir() {
            all.extend(files_below(&folder).into_iter().map(|(path, bytes)| (path.strip_prefix(&root).expect("below").to_owned(), bytes)));
        }
    }
    all.push(("d.dvc".into(), fs::read(root.join("d.dvc")).unwrap_or_default()));
    all
}

/// Both programs find nothing to tell.
fn is_clean(place: &Workplace) {
    assert_eq!(place.almanac("data status").stdout, "Data and pipelines are up to date.\n");
    if let Some(dvc) = std::env::var_os("ALMANAC_TEST_DVC") {
        let site = place.path(".site");
        let told = Command::new(dvc)
            .args(["status", "--json"])
            .current_dir(place.path(""))
            .env("DVC_NO_ANALYTICS", "1")
            .env("DVC_SITE_CACHE_DIR", site)
            .output()
            .expect("dvc runs");
        assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "{}", "{}", String::from_utf8_lossy(&told.stderr));
    }
}

/// Runs a command that is killed at every place and once more to its end. `before`: makes what it starts from; `is_time`: whether
/// it has come so far.
fn killed_everywhere(line: &str, before: impl Fn(&Workplace), is_time: impl Fn(&Workplace, usize) -> bool) {
    let whole = Workplace::new();
    stock(&whole);
    before(&whole);
    run(&whole, line);
    let expected = state(&whole);
    let mut kills = 0;
    for at in PLACES {
        let place = Workplace::new();
        stock(&place);
        before(&place);
        kills += usize::from(kill_when(start(&place, line), || is_time(&place, at)));
        run(&place, line);
        assert!(state(&place) == expected, "`{line}` killed at {at} and repeated ends elsewhere");
        let left = place.path(".dvc/cache/.almanac-tmp");
        assert_eq!(count(&left), 0, "`{line}` killed at {at} leaves files behind");
        if at == PLACES[2] {
            is_clean(&place);
        }
    }
    assert!(kills > 0, "`{line}` always ended before it was killed");
}

fn add(place: &Workplace) {
    run(place, "add d");
}

fn push(place: &Workplace) {
    add(place);
    run(place, "push");
}

fn forget(place: &Workplace, what: &str) {
    fs::remove_dir_all(place.path(what)).expect("is there");
}

#[test]
fn add_killed_anywhere_and_repeated_ends_as_if_undisturbed() {
    killed_everywhere("add d", |_| {}, |place, at| count(&place.path(".dvc/cache/files")) >= at);
}

#[test]
fn checkout_killed_anywhere_and_repeated_ends_as_if_undisturbed() {
    let before = |place: &Workplace| {
        add(place);
        forget(place, "d");
    };
    killed_everywhere("checkout", before, |place, at| count(&place.path("d")) >= at);
}

#[test]
fn push_killed_anywhere_and_repeated_ends_as_if_undisturbed() {
    let is_time = |place: &Workplace, at| {
        let is_list_there = files_if_any(&place.path("remote/files")).iter().any(|path| path.extension().is_some_and(|end| end == "dir"));
        let files = count(&place.path("remote/files"));
        assert!(!is_list_there || files > FILES, "the list of the folder is there before its files");
        files >= at
    };
    killed_everywhere("push", add, is_time);
}

fn files_if_any(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().flat_map(|entry| if entry.path().is_dir() { files_if_any(&entry.path()) } else { vec![entry.path()] }).collect()
}

#[test]
fn pull_killed_anywhere_and_repeated_ends_as_if_undisturbed() {
    let before = |place: &Workplace| {
        push(place);
        forget(place, ".dvc/cache");
        forget(place, "d");
    };
    killed_everywhere("pull", before, |place, at| count(&place.path(".dvc/cache/files")) >= at);
}

#[test]
fn gc_killed_anywhere_and_repeated_ends_as_if_undisturbed() {
    let before = |place: &Workplace| {
        push(place);
        for at in 0..FILES {
            fs::write(place.path(&format!("d/{}/{at}", at % 7)), format!("newer {at}")).expect("can be written");
        }
        add(place);
    };
    // Old and new objects, two lists, and the large one.
    killed_everywhere("gc -w -f", before, |place, at| count(&place.path(".dvc/cache/files")) <= 2 * FILES + 3 - at);
}

#[test]
fn processes_adding_at_once_wait_for_each_other() {
    let place = Workplace::new();
    stock(&place);
    for name in ["one", "two"] {
        fs::create_dir(place.path(name)).expect("can be made");
        for at in 0..50 {
            fs::write(place.path(&format!("{name}/{at}")), format!("{name} {at}")).expect("can be written");
        }
    }
    let running: Vec<Child> =
        ["add d", "add one", "add d", "add two", "status", "add one two"].iter().map(|line| start(&place, line)).collect();
    for child in running {
        let done = child.wait_with_output().expect("it ends");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    is_clean(&place);
    assert_eq!(count(&place.path(".dvc/cache/files")), FILES + 1 + 100 + 3);
    assert_eq!(count(&place.path(".dvc/cache/.almanac-tmp")), 0);
}

/// Runs a command that may let no file grow beyond 64 kB, as on a full disk.
fn on_a_full_disk(place: &Workplace, line: &str) -> String {
    let output = Command::new("bash")
        .args(["-c", &format!("trap '' XFSZ; ulimit -f 64; exec \"$0\" {line}"), env!("CARGO_BIN_EXE_almanac")])
        .current_dir(place.path(""))
        .output()
        .expect("bash is there");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(8), "{told}");
    told
}

#[test]
fn a_full_disk_leaves_everything_as_it_was_and_a_repetition_works() {
    let place = Workplace::new();
    assert_eq!(place.almanac("data init --no-scm").code, Some(0));
    fs::write(place.path("small"), vec![1; 1000]).expect("can be written");
    assert_eq!(place.almanac("data add small").code, Some(0));
    fs::create_dir(place.path("d")).expect("can be made");
    for at in 0..20 {
        fs::write(place.path(&format!("d/{at}")), at.to_string()).expect("can be written");
    }
    fs::write(place.path("d/big"), vec![2; 20 << 20]).expect("can be written");
    let told = on_a_full_disk(&place, "data add d");
    assert!(told.contains("free some space"), "{told}");
    assert!(!place.path("d.dvc").exists());
    assert_eq!(count(&place.path(".dvc/cache/.almanac-tmp")), 0);
    assert_eq!(place.almanac("data status").stdout, "Data and pipelines are up to date.\n");
    assert_eq!(place.almanac("data add d").code, Some(0));
    assert_eq!(place.almanac("data remote add -d store remote").code, Some(0));
    on_a_full_disk(&place, "data push");
    let there = files_if_any(&place.path("remote/files"));
    assert_eq!(there.len(), 21, "what fits arrives");
    assert!(!there.iter().any(|path| path.extension().is_some_and(|end| end == "dir")), "a list without its files");
    assert_eq!(place.almanac("data push").stdout, "2 files pushed\n", "what had arrived stays");
}

/// As much of S3 as a download needs, for one object: HEAD, and GET of ranges. Answers no range beyond `limit` until it is raised.
struct Slow {
    url: String,
    limit: Arc<AtomicU64>,
    /// Starts of the ranges that were asked for.
    asked: Arc<Mutex<Vec<u64>>>,
    is_over: Arc<AtomicBool>,
}

impl Slow {
    fn start(object: Vec<u8>, limit: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let slow = Self {
            url: format!("http://{address}"),
            limit: Arc::new(AtomicU64::new(limit)),
            asked: Arc::default(),
            is_over: Arc::default(),
        };
        let (object, limit, asked, is_over) =
            (Arc::new(object), Arc::clone(&slow.limit), Arc::clone(&slow.asked), Arc::clone(&slow.is_over));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (object, limit, asked) = (Arc::clone(&object), Arc::clone(&limit), Arc::clone(&asked));
                // A client that is killed in the middle ends its own connection only.
                std::thread::spawn(move || drop(answer(&stream, &object, &limit, &asked)));
            }
        });
        slow
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

fn answer(stream: &TcpStream, object: &[u8], limit: &AtomicU64, asked: &Mutex<Vec<u64>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut out = stream;
    loop {
        let Some(request) = lines.next().transpose()? else { return Ok(()) };
        let mut range = (0, object.len());
        let mut is_part = false;
        for line in lines.by_ref() {
            let line = line?.to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some((from, to)) = line.strip_prefix("range: bytes=").and_then(|range| range.split_once('-')) {
                range = (from.parse().unwrap_or(0), to.parse::<usize>().map_or(object.len(), |last| (last + 1).min(object.len())));
                is_part = true;
            }
        }
        let is_head = request.starts_with("HEAD");
        if is_part {
            asked.lock().expect("no thread panics").push(range.0 as u64);
            if range.1 as u64 > limit.load(Ordering::Relaxed) {
                // Never answered: whoever asks is killed meanwhile.
                let mut rest = [0; 64];
                return stream.try_clone()?.read(&mut rest).map(drop);
            }
        }
        let status = if is_part { "206 Partial Content" } else { "200 OK" };
        let body = &object[range.0..range.1];
        write!(
            out,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes {}-{}/{}\r\nETag: \"e\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n",
            body.len(),
            range.0,
            range.1.saturating_sub(1),
            object.len()
        )?;
        if !is_head {
            out.write_all(body)?;
        }
    }
}

#[test]
fn a_download_that_was_killed_goes_on_where_it_stopped() {
    const PART: u64 = 16 << 20;
    let object: Vec<u8> = (0..=(3 * PART + 5) as u32 / 4).flat_map(u32::to_le_bytes).collect();
    let place = Workplace::new();
    assert_eq!(place.almanac("data init --no-scm").code, Some(0));
    fs::write(place.path("big"), &object).expect("can be written");
    run(&place, "add big");
    forget(&place, ".dvc/cache");
    fs::remove_file(place.path("big")).expect("is there");
    let server = Slow::start(object.clone(), PART);
    run(&place, "remote add -d store s3://bucket/data");
    run(&place, &format!("remote modify store endpointurl {}", server.url));
    let left = place.path(".dvc/cache/.almanac-tmp");
    let has_a_part = || files_if_any(&left).iter().any(|path| fs::metadata(path).is_ok_and(|part| part.len() >= PART));
    assert!(kill_when(start(&place, "pull"), has_a_part), "the download waits for the second part");
    server.limit.store(u64::MAX, Ordering::Relaxed);
    server.asked.lock().expect("no thread panics").clear();
    run(&place, "pull");
    assert!(fs::read(place.path("big")).expect("is there") == object);
    let asked = server.asked.lock().expect("no thread panics").clone();
    assert_eq!(asked.iter().min(), Some(&PART), "what is there is not asked for again: {asked:?}");
}
