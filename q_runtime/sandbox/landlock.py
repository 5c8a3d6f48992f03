"""Landlock: which files a worker may open, enforced by the kernel and needing no rights.

A worker may read the directories that Python code is loaded from, and read and write its own scratch directory.
Everything else on the file system is closed to it, /proc included. From version 4 of the interface TCP is refused as
well, and from version 6 signals and abstract Unix sockets that leave the worker. Rules follow
the kernel documentation (userspace-api/landlock).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

from q_runtime.sandbox import linux

READ_FILE, READ_DIR = 1 << 2, 1 << 3
EXECUTE, MAKE_CHAR, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM, REFER, IOCTL_DEV = (
    1 << bit for bit in (0, 6, 9, 10, 11, 12, 13, 15)
)
NEVER = EXECUTE | MAKE_CHAR | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | MAKE_SYM | REFER | IOCTL_DEV
"""Rights that not even the scratch directory grants."""
FILE_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All file rights that a version of the interface can restrict; versions between add none."""
NET_BIND_AND_CONNECT = 0b11
SCOPE_ABSTRACT_SOCKET_AND_SIGNAL = 0b11


def restrict(readable: Sequence[str], writable: Sequence[str]) -> int:
    """Confine this process to the given directories; return the version of the interface.

    Needs no-new-privileges to be set. Directories that do not exist are left out.

    Raises:
        OSError: the kernel has no Landlock, or it is switched off.
    """
    abi = linux.landlock_abi()
    file_rights = FILE_RIGHTS_BY_ABI[max(known for known in FILE_RIGHTS_BY_ABI if known <= abi)]
    attributes = struct.pack("Q", file_rights)
    if abi >= 4:
        attributes += struct.pack("Q", NET_BIND_AND_CONNECT)
    if abi >= 6:
        attributes += struct.pack("Q", SCOPE_ABSTRACT_SOCKET_AND_SIGNAL)
    ruleset = linux.landlock_create_ruleset(attributes)
    try:
        for path in readable:
            _allow(ruleset, path, READ_FILE | READ_DIR)
        for path in writable:
            _allow(ruleset, path, file_rights & ~NEVER)
        linux.landlock_restrict_self(ruleset)
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        directory = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
    except OSError:
        return  # no such directory on this machine: nothing to allow
    try:
        # struct landlock_path_beneath_attr is packed: 64 bits of rights, then a 32-bit descriptor.
        linux.landlock_add_path(ruleset, struct.pack("=Qi", rights, directory))
    finally:
        os.close(directory)
