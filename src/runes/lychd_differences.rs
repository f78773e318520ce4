//! What is taken here and not by LychD.

use crate::codex::{Codex, runes::Soulstone};

/// What is taken here and refused by LychD 0.0.2, which reads the same Codex when the body starts.
pub(super) fn notes(codex: &Codex) -> Vec<String> {
    let stones = &codex.runes.soulstones;
    let by_hand =
        stones.iter().filter(|stone| stone.launch.by_hand && !(stone.says_port && stone.base_url.is_some()));
    let by_hand = by_hand.map(|stone| {
        format!(
            "Soulstone `{}` has `exec`, with which LychD 0.0.2 reads no {} rune but one that has both `port` and \
             `base_url`: write both",
            stone.name.value, stone.family
        )
    });
    let mut notes: Vec<String> = by_hand.collect();
    let wild = |stone: &Soulstone| {
        let one = &stone.concurrency;
        one.dedicated && !one.persistent_resident && one.conflict_domains.is_none()
    };
    for (index, one) in stones.iter().enumerate() {
        let pair = stones
            .iter()
            .skip(index + 1)
            .find(|two| wild(one) && wild(two) && !one.groups.is_disjoint(&two.groups));
        if let Some(two) = pair {
            notes.push(format!(
                "Soulstones `{}` and `{}` share a group and declare no `conflict_domains`: here they run together, but \
                 LychD 0.0.2 takes each for exclusive and refuses their Coven; declare \
                 `conflict_domains`, which both read alike",
                one.name.value, two.name.value
            ));
            break;
        }
    }
    notes
}
