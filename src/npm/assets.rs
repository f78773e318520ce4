//! The members' front ends: what builds each, and which members' trees it reads.

use super::{
    plan::{Plan, directory_of},
    record::Asset,
};
use crate::{
    crypt::Member,
    diagnostic::{Diagnostic, Failure, refuse_any},
    tools::node as tools,
};

/// The front ends with the Nodes they are built with.
pub(super) fn of(members: &[Member], plan: &Plan<'_>) -> Result<Vec<Asset>, Failure> {
    let mut assets = Vec::new();
    let mut errors = Vec::new();
    for project in &plan.projects {
        let engines = project.package.node.as_ref();
        let Some(pin) = tools::choose(engines.map(|engine| &engine.range)) else {
            let known: Vec<&str> = tools::NODES.iter().map(|pin| pin.version).collect();
            errors.extend(engines.map(|engine| {
                Diagnostic::new(format!("no pinned Node is `{}`", engine.text.escape_debug()))
                    .at(engine.place.clone(), "`engines` wants it")
                    .requested_by(project.member.to_string())
                    .help(format!("this forge has Node {}", known.join(" and ")))
            }));
            continue;
        };
        let member = members.iter().find(|member| member.id == *project.member);
        let Some(of) = member.and_then(|member| member.manifest.lychd.assets.as_ref()) else { continue };
        if of.source.directory() != project.package.directory.as_ref() {
            continue;
        }
        assets.push(Asset {
            member: project.member.clone(),
            member_directory: directory_of(project.member),
            source: of.source.to_string(),
            directory: project.directory.clone(),
            script: of.script.clone(),
            output: of.output.to_string(),
            node: pin.version.to_owned(),
        });
    }
    refuse_any(errors)?;
    Ok(assets)
}
