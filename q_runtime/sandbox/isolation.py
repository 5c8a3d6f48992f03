"""What a process does to itself before it touches untrusted code, and an honest list of what took effect.

There are two moments. `enter_namespaces` runs once in the template process: it gives up root for an unprivileged user
and, where the kernel allows it, moves into namespaces of its own, in which there is no network and no other process to
see. `Confiner.confine` runs in each worker after it was forked: a scratch directory, no handles, no environment,
resource limits, no new privileges, Landlock and seccomp. Every layer is reported as a `Layer`; a missing one weakens
the sandbox but does not stop it, because the layers overlap (a socket is refused by the network namespace and by
seccomp).

A worker may import the standard library (`library`) and can neither read nor import anything of the project; a q worker
may also read the q engine and NumPy, which are loaded when they are first needed.

Not covered:
    the kernel      its flaws, and those of the processor; there is no virtual machine around a worker
    shared load     a worker sees the clock and how busy the machine is, and may slow others down while its time lasts
    memory in total each worker is limited, not their sum; nor is what the kernel holds for one (pipes, page tables)
    what is public  names and times of files can be learned by asking whether a path exists; contents cannot be read
    missing layers  without Landlock a worker reads what everyone may read; without seccomp it reaches Unix sockets that
                    have a path; without namespaces it sees that other processes exist; `doctor` says what is active
    a reference     what it says of itself: it may send false answers over its own channel (`python_pool`)
    other systems   outside Linux only the resource limits, the environment and the time limits hold
"""

from __future__ import annotations

import contextlib
import os
import resource
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
class Allowance:
    """What the workers of a template are allowed."""

    readable: tuple[str, ...]
    """Directories that may be read: libraries."""
    memory_bytes: int
    """Address space beyond what the template had already taken."""
    cpu_s: int | None
    """Processor time in seconds over a worker's whole life; None leaves it to the worker's own loop."""
    handles: tuple[int, ...] = ()
    """Handles that a worker keeps besides its channel, if Landlock confines what can be opened by them."""


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


def mount_scratch(directories: Sequence[str]) -> Layer:
    """Cover each directory with a small file system in memory of its own, which ends with the namespace."""

    def mount() -> str:
        linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE, None)
        flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
        for directory in directories:
            linux.mount("tmpfs", directory, "tmpfs", flags, SCRATCH_OPTIONS)
        return SCRATCH_OPTIONS

    return _attempt("scratch_in_memory", mount)


def unmount_scratch(directories: Sequence[str]) -> None:
    """Uncover the directories that were covered; for the outer process, which still has the right to."""
    if linux.is_available():
        for directory in directories:
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


class Confiner:
    """Confines workers: all that is the same for each of them is prepared here, in the template.

    A worker is a copy of the template, and every page of memory that it touches costs a copy more: it does little.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        os.environ.clear()
        self._rules: landlock.Rules | None = None
        self._filters: dict[bool, seccomp.Filter] = {}
        if linux.is_available():
            with contextlib.suppress(OSError):
                self._rules = landlock.Rules(allowance.readable)
            self._filters = {
                is_allowed: seccomp.Filter(
                    allow_file_changes=is_allowed, allow_limit_changes=allowance.cpu_s is None
                )
                for is_allowed in (True, False)
            }
        self._address_space = current_address_space()

    def confine(self, channel: int, scratch: str) -> list[Layer]:
        """Confine this worker for good: `scratch`, an existing empty directory, is all that it may write to.

        Afterwards its channel is `CHANNEL_DESCRIPTOR`.
        """
        os.setsid()
        if linux.is_available():
            linux.prctl(linux.PR_SET_PDEATHSIG, 9)
        os.chdir(scratch)
        os.umask(0o077)
        null = os.open(os.devnull, os.O_RDWR)
        for handle in self._allowance.handles:
            _reopen(handle)
        files = _attempt("landlock", lambda: self._confine_files(scratch))
        layers = [
            _scrub(null, channel, self._allowance.handles if files.is_active else ()),
            _limit_resources(self._allowance, self._address_space),
            files,
        ]
        return [*layers, _attempt("seccomp", lambda: self._filter_calls(files.is_active))]

    def _confine_files(self, scratch: str) -> str:
        if self._rules is None:
            raise OSError("it has no Landlock")
        self._rules.restrict(scratch)
        return f"version {self._rules.abi}: only libraries can be read, only the scratch directory written"

    def _filter_calls(self, allow_file_changes: bool) -> str:
        chosen = self._filters[allow_file_changes]
        chosen.install()
        return f"no processes, sockets or signals to others ({chosen.n_instructions} instructions)"


def current_address_space() -> int:
    """Bytes of address space of this process; 0 where /proc is not there to tell."""
    try:
        with open("/proc/self/statm", encoding="utf-8") as stream:
            return int(stream.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _attempt(name: str, measure: Callable[[], str]) -> Layer:
    if not linux.is_available():
        return Layer(name, False, "needs Linux on x86_64 or aarch64")
    try:
        return Layer(name, True, measure())
    except OSError as error:
        return Layer(name, False, f"the kernel refuses: {error}")


def _reopen(handle: int) -> None:
    """Have the number stand for a handle of its own: position and flags of a shared one are seen by other workers."""
    own = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_DIRECTORY)
    os.dup2(own, handle, inheritable=False)
    os.close(own)


def _scrub(null: int, channel: int, kept: Sequence[int]) -> Layer:
    """Close every handle but the channel and those kept; the environment was emptied in the template."""
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    if channel != CHANNEL_DESCRIPTOR:
        os.dup2(channel, CHANNEL_DESCRIPTOR)
    os.set_inheritable(CHANNEL_DESCRIPTOR, False)
    first = CHANNEL_DESCRIPTOR + 1
    for handle in sorted(kept):
        os.closerange(first, handle)
        first = handle + 1
    os.closerange(first, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    library = " and the standard library" if kept else ""
    return Layer(
        "no_handles_no_environment", True, f"only the null device, the channel{library} are open"
    )


def _limit_resources(allowance: Allowance, address_space: int) -> Layer:
    memory = address_space + allowance.memory_bytes
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
    if allowance.cpu_s is not None:
        _set_limit(resource.RLIMIT_CPU, allowance.cpu_s, allowance.cpu_s + 1)
    _, most_stack = resource.getrlimit(resource.RLIMIT_STACK)
    stack = STACK_BYTES if most_stack == resource.RLIM_INFINITY else min(STACK_BYTES, most_stack)
    _set_limit(resource.RLIMIT_STACK, stack, most_stack)
    if failed:
        return Layer("resource_limits", False, f"{len(failed)} of {len(limits)} refused")
    return Layer("resource_limits", True, f"{allowance.memory_bytes >> 20} MB, no children")


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
