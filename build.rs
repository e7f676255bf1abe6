//! Writes the detectors of the program's own packs as tables: reading their files and working out what their patterns
//! need would take most of the time of a small run. A mistake in one of them ends the build.

#![expect(dead_code, reason = "the script reads and writes detectors and does not search")]

use std::error::Error;
use std::path::Path;
use std::{env, fs};

// The readers of the program itself, so that there is one of each.
#[macro_use]
#[path = "src/model/words.rs"]
mod words;
#[path = "src/detect/detector.rs"]
mod detector;
#[path = "src/detect/formula.rs"]
mod formula;
#[path = "src/detect/generate.rs"]
mod generate;
#[path = "src/detect/index.rs"]
mod index;
#[path = "src/model/line.rs"]
mod line;
#[path = "src/detect/list.rs"]
mod list;
#[path = "src/detect/parts.rs"]
mod parts;
#[path = "src/detect/rarity.rs"]
mod rarity;
#[path = "src/detect/read.rs"]
mod read;
#[path = "src/text.rs"]
mod text;
#[path = "src/detect/validator.rs"]
mod validator;
#[path = "src/detect/weigh.rs"]
mod weigh;
#[path = "src/detect/window.rs"]
mod window;

/// As the program names it.
mod model {
    pub(crate) use crate::line;
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=policies");
    println!("cargo::rerun-if-changed=src/detect");
    println!("cargo::rerun-if-changed=src/model");
    let mut packs = Vec::new();
    for entry in fs::read_dir("policies")? {
        packs.push(entry?.file_name().into_string().map_err(|name| format!("policies/{}: no name", name.display()))?);
    }
    packs.sort();
    let mut detectors = Vec::new();
    for pack in packs {
        let file = format!("policies/{pack}/detectors.toml");
        if !Path::new(&file).exists() {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        let read = read::read(&pack, &text, read::Check::Syntax);
        detectors.extend(read.map_err(|mistake| format!("{file}:{}: {}", mistake.line, mistake.reason))?);
    }
    let out = env::var_os("OUT_DIR").ok_or("no OUT_DIR")?;
    fs::write(Path::new(&out).join("detectors.rs"), generate::tables(&detectors))?;
    Ok(())
}
