//! No test is lost because nobody registered it.

use std::fs;

use libtest_mimic::Failed;

/// Whether every file of a folder of tests is a module of its `main.rs` that hands over its tests; a test that its module does
/// not hand over is dead code, which the compiler reports.
pub fn every_file_is_registered(folder: &str, main: &str) -> Result<(), Failed> {
    let mut files = 0;
    for entry in fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR")))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if name == "main" {
            continue;
        }
        files += 1;
        if !main.contains(&format!("mod {name};")) || !main.contains(&format!("{name}::trials()")) {
            return Err(format!("{} is not registered", path.display()).into());
        }
    }
    if files == 0 { Err(format!("no tests in {folder}").into()) } else { Ok(()) }
}
