//! What becomes of a Quadlet file: the service that podman's generator makes of it.

/// Suffixes of the files that the generator reads.
const SUFFIXES: [&str; 7] = [".build", ".container", ".image", ".kube", ".network", ".pod", ".volume"];

/// Whether the generator reads a file of this name.
#[must_use]
pub fn is_quadlet(file: &str) -> bool {
    SUFFIXES.iter().any(|suffix| file.len() > suffix.len() && file.ends_with(suffix))
}

/// The service of a Quadlet file that does not name another: a container's or kube file's has its name, all others
/// have their kind behind it. `None` of a file that is no Quadlet file.
#[must_use]
pub fn service_of(file: &str) -> Option<String> {
    let (stem, kind) = file.rsplit_once('.').filter(|_| is_quadlet(file))?;
    Some(match kind {
        "container" | "kube" => format!("{stem}.service"),
        kind => format!("{stem}-{kind}.service"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_after_their_files() {
        for (file, want) in [
            ("a.container", Some("a.service")),
            ("a.kube", Some("a.service")),
            ("a.pod", Some("a-pod.service")),
            ("a.b.network", Some("a.b-network.service")),
            ("a.target", None),
            (".pod", None),
            ("pod", None),
        ] {
            assert_eq!(service_of(file).as_deref(), want, "{file}");
        }
    }
}
