//! The system calls a hook cannot make: a second wall behind the namespaces, and the only one that stops
//! processes of root, which the kernel does not count.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

use crate::diagnostic::{Diagnostic, Failure};

/// Numbers that exist on every architecture; `EPERM` answers them.
const DENIED: [libc::c_long; 40] = [
    // Processes and threads.
    libc::SYS_clone,
    libc::SYS_clone3,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Sockets of every family.
    libc::SYS_socket,
    libc::SYS_socketpair,
    // Memory that is nobody's address space.
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    // Wide doors into the kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_fanotify_init,
];
/// Calls of old that newer architectures left out.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: [libc::c_long; 2] = [libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: [libc::c_long; 0] = [];
/// Marks the numbers of the x32 interface, which share x86-64's architecture word; 512 to 547 are its own.
const X32: libc::c_long = 0x4000_0000;

/// The filter as bubblewrap reads it: an array of `struct sock_filter` (seccomp(2)).
pub(super) fn program() -> Result<Vec<u8>, Failure> {
    let unable = |error: &dyn std::fmt::Display| {
        Failure::unable(Diagnostic::new(format!("cannot make the filter of system calls: {error}")))
    };
    let named = DENIED.into_iter().chain(DENIED_HERE);
    let x32 = named.clone().chain(512..=547).map(|number| number | X32);
    let rules: BTreeMap<i64, Vec<_>> = named.chain(x32).map(|number| (number, Vec::new())).collect();
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| unable(&error))?;
    let refused = SeccompAction::Errno(1);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, architecture)
        .map_err(|error| unable(&error))?;
    let program = BpfProgram::try_from(filter).map_err(|error| unable(&error))?;
    let bytes = program.iter().flat_map(|step| {
        let [low, high] = step.code.to_ne_bytes();
        let [a, b, c, d] = step.k.to_ne_bytes();
        [low, high, step.jt, step.jf, a, b, c, d]
    });
    Ok(bytes.collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_filter_is_whole_instructions_and_fits_a_pipe() {
        let program = super::program().unwrap();
        assert!(
            program.len().is_multiple_of(8) && (100..16 << 10).contains(&program.len()),
            "{}",
            program.len()
        );
    }
}
