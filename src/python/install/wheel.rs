//! The best wheel of a package, ranked as uv ranks: interpreter and ABI tag, then platform tag (newest glibc
//! first), then build tag by number. The order of the lock decides nothing but a tie.

use uv_distribution_filename::BuildTag;
use uv_platform_tags::{TagCompatibility, TagPriority};

use super::target::Target;
use crate::python::lock::Wheel;

/// The wheel uv would install; `None` when none fits the target.
#[must_use]
pub fn best<'l>(wheels: &'l [Wheel], target: &Target) -> Option<&'l Wheel> {
    let mut best: Option<((TagPriority, Option<&BuildTag>), &Wheel)> = None;
    for wheel in wheels {
        let TagCompatibility::Compatible(tags) = wheel.tags.compatibility(target.tags()) else { continue };
        let rank = (tags, wheel.tags.build_tag());
        if best.as_ref().is_none_or(|(highest, _)| rank > *highest) {
            best = Some((rank, wheel));
        }
    }
    best.map(|(_, wheel)| wheel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{name::Platform, python::lock::WheelLocation};

    fn chosen(target: &Target, candidates: &[&str]) -> Option<String> {
        let wheels = |order: &mut dyn Iterator<Item = &&str>| -> Vec<Wheel> {
            order
                .map(|tags| {
                    let file_name =
                        format!("p-1.0-{}.whl", tags.replace("ml", "manylinux_").replace('@', "_x86_64"));
                    Wheel {
                        location: WheelLocation::Local(file_name.clone()),
                        tags: file_name.parse().unwrap(),
                        file_name,
                        hash: None,
                        size: None,
                        span: 0..0,
                    }
                })
                .collect()
        };
        let position = |wheel: Option<&Wheel>| wheel.map(|wheel| wheel.file_name.clone());
        let forward = wheels(&mut candidates.iter());
        let backward = wheels(&mut candidates.iter().rev());
        let answer = position(best(&forward, target));
        assert_eq!(answer, position(best(&backward, target)), "the order decides for {candidates:?}");
        answer
    }

    /// Measured with uv 0.11.28 and 0.13.8, both orders. `mlA_B@` is `manylinux_A_B_x86_64`; the first
    /// candidate is the one to be chosen.
    #[test]
    fn wheels_rank_as_with_uv() {
        let target = Target::new("3.12.1", Platform::X86_64Linux, (2, 28)).unwrap();
        for candidates in [
            &["cp312-none-ml2_17@"] as &[&str],
            &["cp311-abi3-ml2_17@"],
            &["cp312-cp312-ml2_28@", "cp312-cp312-ml2_17@"],
            &["cp312-cp312-ml2_28@", "cp312-cp312-ml2_17@.manylinux2014_x86_64"],
            &["cp312-cp312-ml2_17@", "cp312-abi3-ml2_17@"],
            &["cp312-cp312-ml2_17@", "cp312-abi3-ml2_28@"],
            &["cp311-abi3-ml2_17@", "cp310-abi3-ml2_28@"],
            &["cp312-abi3-ml2_17@", "cp312-none-ml2_17@"],
            &["cp38-abi3-ml2_28@", "py3-none-ml2_28@"],
            &["cp312-cp312-ml2_17@", "cp312-cp312-manylinux2014_x86_64"],
            &["cp312-cp312-ml2_17@", "cp312-cp312-linux_x86_64"],
            &["py3-none-ml2_17@", "py3-none-any"],
            &["py312-none-any", "py3-none-any"],
            &["10-py3-none-any", "2-py3-none-any"],
            &["1-py3-none-any", "py3-none-any"],
        ] {
            let expected = chosen(&target, &candidates[..1]).expect("the first is compatible");
            assert_eq!(chosen(&target, candidates), Some(expected), "{candidates:?}");
        }
    }

    #[test]
    fn wheels_of_other_targets_are_not_taken() {
        let target = Target::new("3.12.1", Platform::X86_64Linux, (2, 28)).unwrap();
        for tags in [
            "cp311-none-ml2_17@",
            "cp311-cp311-ml2_17@",
            "cp313-abi3-ml2_17@",
            "cp312-cp312-musllinux_1_2_x86_64",
            "cp312-cp312-ml2_34@",
            "cp312-cp312-manylinux_2_17_aarch64",
            "cp312-cp312-win_amd64",
        ] {
            assert_eq!(chosen(&target, &[tags]), None, "{tags}");
        }
        let newer = Target::new("3.13.5", Platform::X86_64Linux, (2, 28)).unwrap();
        assert_eq!(chosen(&newer, &["cp313-cp313t-ml2_17@"]), None, "a wheel for the build without the GIL");
    }
}
