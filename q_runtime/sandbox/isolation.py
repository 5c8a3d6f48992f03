"""What a process does to itself before it touches untrusted code, and an honest list of what took effect.

There are two moments. `enter_namespaces` runs once in the template process: it gives up root for an unprivileged user
and, where the kernel allows it, moves into namespaces of its own, in which there is no network and no other process to
see. `confine` runs in each worker after it was forked: a scratch directory, no handles, no environment, resource
limits, no new privileges, Landlock and seccomp. Every layer is reported as a `Layer`; a missing one weakens the sandbox
but does not stop it, because the layers overlap (a socket is refused by the network namespace and by seccomp).

Root that became nobody can no longer read what only root may, a Python under /root for example. So a worker's module
imports beforehand whatever it will need (`warm_up`), and the encodings of Python are not all at hand here.

Not covered: flaws of the kernel; timing and load seen from a shared processor; reading the Python libraries and
this package; memory in total (each worker is limited, not their sum). Without Landlock a worker can read what
everyone may read.
On systems other than Linux only the resource limits, the environment and the time limits hold.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from q_runtime.sandbox import landlock, linux, seccomp

UNPRIVILEGED_ID = 65534
"""User and group that root becomes: `nobody`."""
MAX_OPEN_FILES = 32
MAX_FILE_BYTES = 1024 * 1024
SCRATCH_OPTIONS = "size=16m,nr_inodes=4096,mode=0700"
STACK_BYTES = 120 * 1024 * 1024
"""Deep recursion ends in an error of the language before it reaches this. Linux leaves 128 MB for a stack to grow."""
CHANNEL_DESCRIPTOR = 3
"""Where a worker finds its channel; 0, 1 and 2 are the null device, and nothing else is open."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One measure of isolation and whether it took effect."""

    name: str
    is_active: bool
    detail: str = ""
    """What it does when active, or why it is not."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a worker is allowed."""

    scratch: str
    """Existing empty directory: the only writable place."""
    readable: tuple[str, ...]
    """Directories that may be read: libraries."""
    memory_bytes: int
    """Address space beyond what the template had already taken."""
    cpu_s: int | None
    """Processor time in seconds over the worker's whole life; None leaves it to the worker's own loop."""


def give_up_root(scratch: str) -> Layer:
    """Become an unprivileged user, who owns `scratch`, if this is root; what is loaded stays usable."""
    name = "unprivileged_user"
    if os.geteuid() != 0:
        return Layer(name, True, f"user {os.geteuid()}")
    try:
        os.chown(scratch, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
        os.setgroups([])
        os.setresgid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
        os.setresuid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    except OSError as error:
        return Layer(name, False, f"still root: {error}")
    if linux.is_available():
        # Changing the user made /proc/self root's own; without this its id maps cannot be written.
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
    return Layer(name, True, "root became nobody")


def enter_namespaces() -> Layer:
    """Move into new namespaces: users, network, processes (from the next fork on), mounts, IPC, host name."""
    name = "namespaces"
    if not linux.is_available():
        return Layer(name, False, "needs Linux on x86_64 or aarch64")
    user, group = os.geteuid(), os.getegid()
    try:
        linux.unshare(
            linux.CLONE_NEWUSER
            | linux.CLONE_NEWNET
            | linux.CLONE_NEWPID
            | linux.CLONE_NEWNS
            | linux.CLONE_NEWIPC
            | linux.CLONE_NEWUTS
        )
        for file, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{file}", "w", encoding="utf-8") as stream:
                stream.write(text)
    except OSError as error:
        return Layer(name, False, f"the kernel refuses user namespaces: {error}")
    return Layer(name, True, "own users, network, processes, mounts, IPC")


def mount_scratch(directory: str) -> Layer:
    """Cover `directory` with a small file system in memory that ends with the namespace."""

    def mount() -> str:
        linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE, None)
        flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
        linux.mount("tmpfs", directory, "tmpfs", flags, SCRATCH_OPTIONS)
        return SCRATCH_OPTIONS

    return _attempt("scratch_in_memory", mount)


def unmount_scratch(directory: str) -> None:
    """Uncover the directory again, if it was covered; for the outer process, which still has the right to."""
    if linux.is_available():
        with contextlib.suppress(OSError):
            linux.unmount(directory)


def settle_template() -> Layer:
    """Give up the rights that the namespaces came with; become untraceable; end with the process above."""

    def settle() -> str:
        linux.drop_capabilities()
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.prctl(linux.PR_SET_DUMPABLE, 0)
        linux.prctl(linux.PR_SET_PDEATHSIG, 9)
        return "no capabilities, no set-user-id programs, not traceable"

    return _attempt("no_new_privileges", settle)


def confine(channel: int, confinement: Confinement) -> list[Layer]:
    """Confine this worker for good. Afterwards its channel is `CHANNEL_DESCRIPTOR`."""
    os.setsid()
    if linux.is_available():
        linux.prctl(linux.PR_SET_PDEATHSIG, 9)
    os.chdir(confinement.scratch)
    os.umask(0o077)
    layers = [_scrub(channel), _limit_resources(confinement)]

    def landlock_files() -> str:
        abi = landlock.restrict(confinement.readable, [confinement.scratch])
        return f"version {abi}: only libraries can be read, only the scratch directory written"

    files = _attempt("landlock", landlock_files)

    def seccomp_calls() -> str:
        count = seccomp.restrict(allow_file_changes=files.is_active)
        return f"no processes, sockets or signals to others ({count} instructions)"

    return [*layers, files, _attempt("seccomp", seccomp_calls)]


def current_address_space() -> int:
    """Bytes of address space of this process; 0 where /proc is not there to tell."""
    try:
        with open("/proc/self/statm", encoding="utf-8") as stream:
            return int(stream.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def library_directories(extra: Sequence[str]) -> tuple[str, ...]:
    """Directories that Python loads code from, and `extra` ones."""
    return (
        os.path.join(sys.base_prefix, "lib"),
        os.path.join(sys.base_prefix, "lib64"),
        "/usr/lib",
        "/usr/lib64",
        "/lib",
        "/lib64",
        "/usr/share/zoneinfo",
        *extra,
    )


def _attempt(name: str, measure: Callable[[], str]) -> Layer:
    if not linux.is_available():
        return Layer(name, False, "needs Linux on x86_64 or aarch64")
    try:
        return Layer(name, True, measure())
    except OSError as error:
        return Layer(name, False, f"the kernel refuses: {error}")


def _scrub(channel: int) -> Layer:
    """Close every handle but the channel, and empty the environment."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    if channel != CHANNEL_DESCRIPTOR:
        os.dup2(channel, CHANNEL_DESCRIPTOR)
    os.set_inheritable(CHANNEL_DESCRIPTOR, False)
    os.closerange(CHANNEL_DESCRIPTOR + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.environ.clear()
    return Layer("no_handles_no_environment", True, "only the null device and the channel are open")


def _limit_resources(confinement: Confinement) -> Layer:
    memory = current_address_space() + confinement.memory_bytes
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: MAX_OPEN_FILES,
        resource.RLIMIT_FSIZE: MAX_FILE_BYTES,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_AS: memory,
    }
    if hasattr(resource, "RLIMIT_MSGQUEUE"):
        limits[resource.RLIMIT_MSGQUEUE] = 0
    failed = [kind for kind, most in limits.items() if not _set_limit(kind, most, most)]
    if confinement.cpu_s is not None:
        _set_limit(resource.RLIMIT_CPU, confinement.cpu_s, confinement.cpu_s + 1)
    _, most_stack = resource.getrlimit(resource.RLIMIT_STACK)
    stack = STACK_BYTES if most_stack == resource.RLIM_INFINITY else min(STACK_BYTES, most_stack)
    _set_limit(resource.RLIMIT_STACK, stack, most_stack)
    if failed:
        return Layer("resource_limits", False, f"{len(failed)} of {len(limits)} refused")
    return Layer("resource_limits", True, f"{confinement.memory_bytes >> 20} MB, no children")


def _set_limit(kind: int, soft: int, hard: int) -> bool:
    """Set a limit, never above the present hard one."""
    present = resource.getrlimit(kind)[1]
    if present != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or hard > present):
        soft, hard = min(soft, present), present
    try:
        resource.setrlimit(kind, (soft, hard))
    except (OSError, ValueError):
        return False
    return True
