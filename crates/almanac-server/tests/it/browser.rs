//! The pages in a real browser: search, levels, keyboard, chart and download are driven as a person would.
//!
//! Skipped with a printed reason where there is no `chromium`. `ALMANAC_SCREENSHOTS=DIR` keeps pictures to look at.

use crate::devtools::Browser;
use crate::fake::FakeService;
use almanac_server::{Services, bind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Serves the fake project and runs a visit on a thread of its own, because the browser's socket blocks.
async fn visit(drive: impl FnOnce(&mut Browser, &str) + Send + 'static) {
    let listening = bind("127.0.0.1:0".parse().expect("valid")).await.expect("a free port");
    let base = format!("http://{}", listening.address());
    let server = tokio::spawn(listening.serve(Services::forecasts(Arc::new(FakeService::default())), std::future::pending()));
    let visited = tokio::task::spawn_blocking(move || {
        let Some(mut browser) = Browser::start() else {
            println!("skipped: there is no `chromium` on the path");
            return;
        };
        browser.look(1280, 800, false);
        drive(&mut browser, &base);
    });
    visited.await.expect("the visit went well");
    server.abort();
}

const SHOWN: &str = "document.querySelector('#chart').dataset.shown";

#[tokio::test(flavor = "multi_thread")]
async fn the_explorer_opens_on_the_most_valuable_series() {
    visit(|browser, base| {
        browser.open(base);
        browser.wait_for(SHOWN);
        assert_eq!(browser.eval("document.querySelector('#count').textContent"), "360 series");
        assert_eq!(
            browser.eval("document.querySelector('#title').textContent"),
            browser.eval("document.querySelector('.row .row-name').textContent")
        );
        assert_eq!(browser.eval("document.querySelectorAll('#table tbody tr').length"), 28);
        assert!(browser.eval("document.querySelectorAll('.row').length").as_u64() < Some(40), "only rows in view are in the page");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_finds_and_keys_choose() {
    visit(|browser, base| {
        browser.open(base);
        browser.wait_for(SHOWN);
        browser.type_text("/");
        assert_eq!(browser.eval("document.activeElement.id"), "search");
        browser.type_text("juice");
        browser.wait_for("document.querySelector('#count').textContent === '72 of 360 series'");
        browser.press("ArrowDown", 40);
        browser.wait_for(&format!("{SHOWN}.includes('juice')"));
        let first = browser.eval("document.querySelector('#title').textContent");
        browser.press("ArrowDown", 40);
        browser.press("ArrowDown", 40);
        browser.wait_for(&format!(
            "!{SHOWN}.includes({first}) && new URLSearchParams(location.search).get('series') === {SHOWN}.split('|')[1]"
        ));
        assert_eq!(browser.eval("document.querySelector('#list').getAttribute('aria-activedescendant')"), "option-2");
        assert_eq!(browser.eval("document.querySelector('#option-2').getAttribute('aria-selected')"), "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_without_match_says_so_and_can_be_cleared() {
    visit(|browser, base| {
        browser.open(base);
        browser.wait_for(SHOWN);
        browser.click("#search");
        browser.type_text("zzz");
        browser.wait_for("document.querySelector('.list-note').textContent.includes('Nothing found')");
        browser.click(".list-note button");
        browser.wait_for("document.querySelector('#count').textContent === '360 series' && document.querySelector('.row')");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_level_model_and_cutoff_can_be_switched_and_the_address_shared() {
    visit(|browser, base| {
        browser.open(base);
        browser.wait_for(SHOWN);
        let choose = |id: &str, value: &str| {
            format!("(() => {{ const s = document.querySelector('#{id}'); s.value = '{value}'; s.dispatchEvent(new Event('change')); }})()")
        };
        browser.eval(&choose("level", "region/store"));
        browser.wait_for("document.querySelector('#count').textContent === '12 series'");
        browser.wait_for(&format!("{SHOWN}.startsWith('region/store|')"));
        browser.eval(&choose("model", "auto_ets"));
        browser.wait_for(&format!("{SHOWN}.includes('|auto_ets|')"));
        browser.wait_for("document.querySelector('#figures').innerText.includes('WAPE · ensemble')");
        browser.eval(&choose("cutoff", "2024-01-03"));
        browser.wait_for(&format!("{SHOWN}.endsWith('|2024-01-03')"));
        browser.eval("history.back()");
        browser.wait_for(&format!("{SHOWN}.endsWith('|auto_ets|')"));
        browser.eval("history.forward()");
        browser.wait_for(&format!("{SHOWN}.endsWith('|2024-01-03')"));
        let shown = browser.eval(SHOWN);
        let address = browser.eval("location.href");
        let address = address.as_str().expect("text");
        assert!(address.contains("level=region/store") && address.contains("model=auto_ets"), "{address}");
        browser.open("about:blank");
        browser.open(address);
        browser.wait_for(SHOWN);
        assert_eq!(browser.eval(SHOWN), shown);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_cutoff_is_set_beside_what_came() {
    visit(|browser, base| {
        browser.open(&format!("{base}/?series=north/store_01/coffee_03&cutoff=2024-01-03"));
        browser.wait_for(&format!("{SHOWN} === 'region/store/item|north/store_01/coffee_03|ensemble|2024-01-03'"));
        for (part, text) in [("figures", "What came"), ("figures", "80 % promised"), ("legend", "What came"), ("table", "What came")] {
            let found = browser.eval(&format!("document.querySelector('#{part}').textContent.includes('{text}')"));
            assert_eq!(found, true, "`{text}` in #{part}");
        }
        browser.eval("document.querySelector('#chart').focus()");
        browser.press("End", 35);
        browser.wait_for("document.querySelector('#spoken').textContent.includes('What came')");
        let choose = |value: &str| {
            format!(
                "(() => {{ const s = document.querySelector('#cutoff'); s.value = '{value}'; s.dispatchEvent(new Event('change')); }})()"
            )
        };
        // The champion of today was not there then.
        browser.eval(&choose("2023-12-06"));
        browser.wait_for(&format!("{SHOWN}.endsWith('|window_average|2023-12-06')"));
        assert_eq!(browser.eval("document.querySelector('#model option[value=ensemble]').disabled"), true);
        browser.eval(&choose("2024-01-31"));
        browser.wait_for(&format!("{SHOWN}.endsWith('|ensemble|')"));
        assert_eq!(browser.eval("document.querySelector('#legend').textContent.includes('What came')"), false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_opened_on_a_search_without_match_is_not_half_a_page() {
    visit(|browser, base| {
        browser.open(&format!("{base}/?search=zzz"));
        browser.wait_for("document.querySelector('#title').textContent === 'No series chosen'");
        assert_eq!(browser.eval("document.querySelector('#chart').offsetParent === null"), true);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_reads_out_what_the_pointer_and_the_keys_point_at() {
    visit(|browser, base| {
        browser.open(&format!("{base}/?series=south/store_02/coffee_03"));
        browser.wait_for(SHOWN);
        let (x, y) = browser.middle(".u-over");
        browser.hover(x, y);
        browser.wait_for("!document.querySelector('#tooltip').hidden");
        assert!(browser.eval("document.querySelector('#tooltip').innerText").as_str().expect("text").contains("Actual"));
        browser.eval("document.querySelector('#chart').focus()");
        browser.press("End", 35);
        browser.wait_for("document.querySelector('#spoken').textContent.includes('28 Feb 2024')");
        let spoken = browser.eval("document.querySelector('#spoken').textContent");
        assert!(spoken.as_str().expect("text").contains("95 %"), "{spoken}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_csv_is_downloaded_under_a_name_with_the_time() {
    visit(|browser, base| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        browser.download_to(folder.path());
        browser.open(&format!("{base}/?series=north/store_01/coffee_03"));
        browser.wait_for(SHOWN);
        browser.click("#download");
        let file = wait_for_file(browser, folder.path());
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(name.starts_with("forecast_north_store_01_coffee_03_2") && name.ends_with("Z.csv"), "{name}");
        let text = std::fs::read_to_string(&file).expect("text");
        assert!(text.starts_with("unique_id,ds,cutoff,model,mean,q0.005,"), "{text}");
        assert_eq!(text.lines().count(), 29);
    })
    .await;
}

fn wait_for_file(browser: &mut Browser, folder: &Path) -> PathBuf {
    for _ in 0..600 {
        let entries = std::fs::read_dir(folder).expect("the folder");
        let files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        // Chromium takes the name with an empty file and fills another one beside it.
        let is_whole =
            |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "csv") && path.metadata().is_ok_and(|meta| meta.len() > 0);
        let is_under_way = files.iter().any(|path| path.extension().is_some_and(|ending| ending == "crdownload"));
        if let Some(file) = files.iter().find(is_whole).filter(|_| !is_under_way) {
            return file.clone();
        }
        browser.eval("new Promise((done) => requestAnimationFrame(done)).then(() => true)");
    }
    panic!("no file came")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_that_does_not_exist_is_explained() {
    visit(|browser, base| {
        browser.open(&format!("{base}/?series=nobody"));
        browser.wait_for("!document.querySelector('#trouble').hidden");
        let text = browser.eval("document.querySelector('#trouble').innerText");
        assert!(text.as_str().expect("text").contains("Series nobody does not exist."), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leaderboard_marks_the_champion_and_explains_its_scores() {
    visit(|browser, base| {
        browser.open(&format!("{base}/leaderboard"));
        browser.wait_for("document.querySelector('tr.champion')");
        assert!(browser.eval("document.querySelector('tr.champion th').innerText").as_str().expect("text").contains("ensemble"));
        let (x, y) = browser.middle("[aria-describedby=tip-wrmsse]");
        browser.hover(x, y);
        browser.wait_for("getComputedStyle(document.querySelector('#tip-wrmsse')).visibility === 'visible'");
        browser.eval("[...document.querySelectorAll('.segments a')].find((a) => a.textContent === '8–14').click()");
        browser.wait_for("document.querySelector('[aria-current=true][href*=\"steps=8-14\"]')");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_a_phone() {
    visit(|browser, base| {
        browser.look(390, 844, false);
        for path in ["/", "/leaderboard", "/data"] {
            browser.open(&format!("{base}{path}"));
            browser.wait_for(match path {
                "/" => SHOWN,
                "/data" => "document.querySelector('table.profile')",
                _ => "document.querySelector('tr.champion')",
            });
            assert_eq!(browser.eval("document.documentElement.scrollWidth"), 390, "{path} scrolls sideways");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_kept_when_asked_for() {
    let Some(folder) = std::env::var_os("ALMANAC_SCREENSHOTS").map(PathBuf::from) else {
        println!("skipped: `ALMANAC_SCREENSHOTS` is not set");
        return;
    };
    visit(move |browser, base| {
        let views = [
            ("desktop-light", "/?series=south/store_05/apples_16", 1280, 800, false),
            ("desktop-dark", "/?series=south/store_05/apples_16&range=90%20d", 1280, 800, true),
            ("total-wide", "/?level=total&range=All", 1600, 1000, false),
            ("mobile", "/?series=south/store_05/apples_16&range=90%20d", 390, 844, false),
            ("earlier", "/?series=south/store_05/apples_16&cutoff=2024-01-03", 1280, 800, false),
            ("earlier-dark", "/?series=south/store_05/apples_16&cutoff=2024-01-03", 1280, 800, true),
            ("nobody", "/?series=nobody", 1280, 800, false),
            ("leaderboard", "/leaderboard", 1280, 900, false),
            ("leaderboard-dark", "/leaderboard?level=region/store/item&steps=8-14", 1280, 900, true),
            ("leaderboard-mobile", "/leaderboard", 390, 844, false),
            ("data", "/data", 1280, 900, false),
            ("data-dark", "/data?table=silver", 1280, 900, true),
            ("data-mobile", "/data", 390, 844, false),
            ("docs", "/docs/", 1280, 800, false),
        ];
        for (name, path, width, height, is_dark) in views {
            browser.look(width, height, is_dark);
            browser.open(&format!("{base}{path}"));
            browser.wait_for(match name {
                "nobody" => "!document.querySelector('#trouble').hidden",
                "docs" => "document.querySelector('.opblock')",
                name if name.starts_with("data") => "document.querySelector('table.profile')",
                name if name.starts_with("leader") => "document.querySelector('tr.champion')",
                _ => SHOWN,
            });
            if name.starts_with("desktop") || name.starts_with("earlier") {
                let (x, y) = browser.middle(".u-over");
                browser.hover(x * 1.35, y);
                browser.wait_for("!document.querySelector('#tooltip').hidden");
            }
            let picture = browser.screenshot(width < 600);
            std::fs::write(folder.join(format!("{name}.png")), picture).expect("the folder can be written");
        }
    })
    .await;
}
