//! The flow of forging without its command line.

use std::{path::Path, sync::Mutex};

use lychd_forge::{
    forge::{self, Pins, Preparation},
    host::{
        directories::Directories,
        file,
        progress::{Progress, Unit},
    },
    supply::outside::Network,
};

/// What was told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Progress for Told {
    fn stage(&self, name: &str, _: &str) {
        self.0.lock().unwrap().push(name.to_owned());
    }

    fn advance(&self, _: u64, _: u64, _: Unit) {}

    fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

fn preparation(home: &Path) -> Preparation {
    Preparation {
        directories: Directories {
            codex: home.join("codex"),
            crypt: home.join("crypt"),
            state: home.join("state"),
            cache: home.join("cache"),
        },
        network: Network::Offline,
        pins: Pins::Kept { python: false, npm: false, system: false },
        from: None,
        is_trial: false,
    }
}

#[test]
fn what_cannot_be_prepared_is_a_value_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let project = "[project]\nname = 'the-core'\nversion = '1'\nrequires-python = '>=3.13'\n";
    file::write(&home.path().join("crypt/core/pyproject.toml"), project.as_bytes()).unwrap();
    file::write(&home.path().join("codex/lychd.toml"), b"").unwrap();
    file::write(&home.path().join("codex/forge.toml"), b"").unwrap();
    let before = file::read_tree(&home.path().join("crypt")).unwrap();
    let told = Told::default();

    let unlocked = Preparation { from: Some(home.path().join("folder")), ..preparation(home.path()) };
    let refused = forge::prepare(&unlocked, &told).unwrap_err();
    assert_eq!(refused.exit_code(), 1, "{refused}");
    assert!(refused.to_string().contains("`--from` locks nothing"), "{refused}");
    assert_eq!(told.take(), ["synthesize"]);

    // Nothing is held any more: the second is told the same, and waits for nobody.
    assert_eq!(forge::prepare(&unlocked, &told).unwrap_err(), refused);
    assert_eq!(told.take(), ["synthesize"]);

    file::write(&home.path().join("codex/forge.toml"), b"[image]\npython = 7\n").unwrap();
    let wrong = forge::prepare(&preparation(home.path()), &told).unwrap_err();
    assert!(wrong.exit_code() == 1 && wrong.to_string().contains("forge.toml"), "{wrong}");
    assert_eq!(told.take(), [""; 0], "the Codex comes first");
    assert_eq!(file::read_tree(&home.path().join("crypt")).unwrap(), before);
}
