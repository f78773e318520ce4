//! The outside as one run may use it: the network or not, mirrors, a folder, and the cache of what came from there.

use std::path::PathBuf;

use super::{air_gap::AirGap, downloads::Downloads};
use crate::{
    artifact::{Artifact, Effects},
    codex::{Codex, Debian},
    debian::{self, index::Index},
    diagnostic::Failure,
    host::{
        clock,
        directories::Directories,
        http::{Client, Netrc},
        progress::Progress,
    },
    name::{Platform, url::HostPolicy},
};

/// Whether the network may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It may.
    Online,
    /// What is neither in the cache nor in the store is an error.
    Offline,
}

/// Everything that a run takes downloads with.
#[derive(Debug)]
pub struct Outside {
    codex_directory: PathBuf,
    cache: PathBuf,
    artifacts: PathBuf,
    debian: Debian,
    client: Option<Client>,
    air_gap: Option<AirGap>,
}

impl Outside {
    /// With the operator's mirrors and allowed hosts. Where everything is in a folder, the network is not used.
    ///
    /// # Errors
    /// When the user's netrc file cannot be read or understood.
    pub fn open(
        codex: &Codex,
        directories: &Directories,
        network: Network,
        air_gap: Option<AirGap>,
    ) -> Result<Self, Failure> {
        let client = if network == Network::Online && air_gap.is_none() {
            let policy = HostPolicy::new(codex.policy.hosts.iter().map(ToString::to_string));
            Some(Client::new(policy).with_netrc(Netrc::load()?))
        } else {
            None
        };
        Ok(Self {
            codex_directory: directories.codex.clone(),
            cache: directories.cache.clone(),
            artifacts: directories.artifacts(),
            debian: codex.substrate.debian().clone(),
            client,
            air_gap,
        })
    }

    /// Where downloads come from and stay.
    #[must_use]
    pub fn downloads(&self) -> Downloads<'_> {
        Downloads {
            cache: &self.artifacts,
            from: self.air_gap.as_ref(),
            client: self.client.as_ref(),
            mirrors: &self.debian.mirrors,
        }
    }

    /// The signed index of Debian's packages, for advice: `None` without a network, or when no mirror gives it.
    #[must_use]
    pub fn debian_index(&self, platform: Platform, progress: &dyn Progress) -> Option<Index> {
        let (debian, directory) = (&self.debian, self.codex_directory.as_path());
        let client = self.client.as_ref()?;
        let now = clock::unix_seconds();
        debian::configured(client, (debian, directory), &debian.suites, platform, now, progress).ok()
    }

    /// Whether everything comes from a folder.
    #[must_use]
    pub fn is_air_gapped(&self) -> bool {
        self.air_gap.is_some()
    }

    /// Hands `work` the effects that resolvers need.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn with_effects<T>(
        &self,
        progress: &dyn Progress,
        work: impl FnOnce(&Effects<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let downloads = self.downloads();
        work(&Effects {
            codex_directory: &self.codex_directory,
            cache: &self.cache,
            client: self.client.as_ref(),
            bring: &|artifacts: &[Artifact]| downloads.all(artifacts, progress),
            now: clock::unix_seconds(),
            progress,
        })
    }
}
