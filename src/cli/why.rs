//! `why`: the path that brings a package in, in every project that has it.

use super::args::{Global, Named};
use super::{Ending, Error, open, print};
use crate::discover::Snapshot;
use crate::gate::config::Config;
use crate::model::graph::Paths;
use crate::model::verdict::Coverage;
use crate::model::{Ecosystem, purl};
use crate::report::escape::terminal;
use crate::revision::{self, Head};
use crate::run::projects;
use crate::world::Env;

pub(super) fn run(global: &Global, env: &Env, args: &Named) -> Result<Ending, Error> {
    let named = purl::parse(&args.purl, Ecosystem::Cargo).map_err(Error::Usage)?;
    let repo = open(&global.repo, env)?;
    let head = match &args.rev {
        Some(rev) => Head::Rev(rev.clone()),
        None if repo.work_dir().is_none() => Head::Rev("HEAD".to_owned()),
        None => Head::WorkTree,
    };
    let tree = repo.tree(&revision::head(&*repo, &head)?.rev)?;
    let snapshot = Snapshot::new(&*tree).map_err(|e| Error::Undecided(e.to_string()))?;
    let config = Config::default();
    let mut text = String::new();
    for project in projects::find(&snapshot, &config, &|_| true, &mut Coverage::default()) {
        let inventory = projects::read(&snapshot, &config, &project)
            .map_err(|(path, unread)| Error::Undecided(format!("{path}: {unread}")))?;
        let paths = Paths::new(&inventory);
        for (index, package) in inventory.packages.iter().enumerate() {
            let wanted = package.ecosystem == named.ecosystem
                && *package.name == *named.name
                && named.version.as_deref().is_none_or(|version| version == &*package.version);
            if !wanted {
                continue;
            }
            let scopes: Vec<&str> = package.scopes.iter().map(|scope| scope.as_str()).collect();
            let place = inventory.path_of(package.span).map_or_else(String::new, |path| path.to_string());
            let line = format!("{}  {}  {place}:{}", package.label(), scopes.join(", "), package.span.line);
            text += &format!("{}\n", terminal(&line));
            let path = paths.to(index);
            if path.is_empty() {
                text += "  nothing in this project reaches it\n";
            } else {
                text += &format!("  {}\n", terminal(&path.join(" → ")));
            }
            if let Some(span) = package.declared {
                let file = inventory.path_of(span).map_or_else(String::new, |path| path.to_string());
                text += &format!("  asked for in {}:{}\n", terminal(&file), span.line);
            }
        }
    }
    if text.is_empty() {
        return Err(Error::Usage(format!("{}: no project here has it", terminal(&args.purl))));
    }
    print(&text)
}
