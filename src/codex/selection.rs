//! Which extensions belong to the body, and LychD's own among them.

use std::fmt;

use crate::{document::Located, name::MemberId};

/// Which extensions belong to the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Ids below the Crypt's `extensions/`, as listed; `None` when the key is missing, which selects all.
    pub crypt: Option<Vec<Located<MemberId>>>,
    /// LychD's own built-in extensions as listed; they are part of the core's distribution.
    pub builtins: Vec<Located<Builtin>>,
}

/// One of LychD's built-in extensions. They are part of the core's distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Builtin {
    /// Portals, and what local runtimes have in common.
    Animator,
    /// The runtime llama.cpp.
    Llamacpp,
    /// The runtime `ExLlamaV3`.
    Exllamav3,
    /// The runtime vLLM.
    Vllm,
    /// The runtime `SGLang`.
    Sglang,
    /// Phoenix, for telemetry.
    Phoenix,
    /// Shadow simulation.
    Simulation,
    /// Delegated agents.
    Delegation,
}

impl Builtin {
    /// Each with its id.
    pub const ALL: [(&'static str, Self); 8] = [
        ("animator", Self::Animator),
        ("animator/llamacpp", Self::Llamacpp),
        ("animator/exllamav3", Self::Exllamav3),
        ("animator/vllm", Self::Vllm),
        ("animator/sglang", Self::Sglang),
        ("observability/phoenix", Self::Phoenix),
        ("simulation", Self::Simulation),
        ("delegation", Self::Delegation),
    ];

    /// The id in `builtins`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, builtin)| *builtin == self).map_or("", |(id, _)| id)
    }

    /// The extension it stands on, which is active with it whether it is selected or not.
    #[must_use]
    pub const fn needs(self) -> Option<Self> {
        match self {
            Self::Llamacpp | Self::Exllamav3 | Self::Vllm | Self::Sglang => Some(Self::Animator),
            Self::Animator | Self::Phoenix | Self::Simulation | Self::Delegation => None,
        }
    }
}

impl fmt::Display for Builtin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Selection {
    /// The built-in extensions that are active, in the order LychD registers them: as listed, and before each what
    /// it stands on.
    #[must_use]
    pub fn active_builtins(&self) -> Vec<Builtin> {
        let mut active = Vec::new();
        for builtin in self.builtins.iter().flat_map(|id| id.value.needs().into_iter().chain([id.value])) {
            if !active.contains(&builtin) {
                active.push(builtin);
            }
        }
        active
    }
}
