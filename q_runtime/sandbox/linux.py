"""Linux system calls that Python 3.11 has no function for, through ctypes.

Each wrapper raises OSError on failure and nothing else. What this deliberately does not do: decide which of them a
worker needs (`isolation`), or describe rules (`seccomp`, `landlock`). On other systems the module imports, and
`is_available()` is False.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x4000, 0x40000
MNT_DETACH = 2

CAPABILITY_VERSION_3 = 0x20080522

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446


def is_available() -> bool:
    """Tell whether this is Linux on a 64-bit processor whose system call numbers are known here."""
    return sys.platform == "linux" and machine() in ("x86_64", "aarch64") and sys.maxsize > 2**32


def machine() -> str:
    """Processor family under one name: `x86_64`, `aarch64`, or what the system calls it."""
    name = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int = 0, pointer: ctypes.c_void_p | None = None) -> None:
    """Change an attribute of this process."""
    zero = ctypes.c_ulong(0)
    argument = ctypes.c_ulong(value)
    third = pointer if pointer is not None else zero
    _check(_library().prctl(option, argument, third, zero, zero), f"prctl({option})")


def unshare(flags: int) -> None:
    """Move this process (for the process namespace: its children) into new namespaces."""
    _check(_library().unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None) -> None:
    """Mount a file system or change the propagation of a mount."""
    arguments = [None if text is None else text.encode() for text in (source, target, kind)]
    data = None if options is None else options.encode()
    _check(_library().mount(*arguments, ctypes.c_ulong(flags), data), "mount")


def unmount(target: str) -> None:
    """Take a mount off its directory, at once for all who look there."""
    _check(_library().umount2(target.encode(), ctypes.c_int(MNT_DETACH)), "unmount")


def drop_capabilities() -> None:
    """Give up every capability of this process, in all three sets."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_library().capset(header, nothing), "capset")


def landlock_abi() -> int:
    """Version of the kernel's Landlock interface; OSError where there is none."""
    return _landlock(LANDLOCK_CREATE_RULESET, None, 0, 1)


def landlock_create_ruleset(attributes: bytes) -> int:
    """Return the descriptor of a new ruleset."""
    return _landlock(LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)


def landlock_add_path(ruleset: int, rule: bytes) -> None:
    """Allow what `rule` (struct landlock_path_beneath_attr) says."""
    _landlock(LANDLOCK_ADD_RULE, ruleset, 1, rule, 0)


def landlock_restrict_self(ruleset: int) -> None:
    """Apply the ruleset to this process, for good."""
    _landlock(LANDLOCK_RESTRICT_SELF, ruleset, 0)


def _landlock(number: int, *arguments: int | bytes | None) -> int:
    """A Landlock system call; its numbers are the same on every processor."""
    converted = [
        ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments
    ]
    return _check(int(_library().syscall(ctypes.c_long(number), *converted)), "landlock")
