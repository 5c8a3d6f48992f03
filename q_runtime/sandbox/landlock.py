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
PATH_ONLY = os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY
SCOPE_ABSTRACT_SOCKET_AND_SIGNAL = 0b11


class Rules:
    """What a worker may read, prepared once: the directories are opened here, and each worker adds its own scratch.

    Directories that do not exist are left out. The handles are closed with all others of the worker.
    """

    def __init__(self, readable: Sequence[str]) -> None:
        """Raises: OSError when the kernel has no Landlock, or it is switched off."""
        self.abi = linux.landlock_abi()
        self._file_rights = FILE_RIGHTS_BY_ABI[max(v for v in FILE_RIGHTS_BY_ABI if v <= self.abi)]
        self._attributes = struct.pack("Q", self._file_rights)
        if self.abi >= 4:
            self._attributes += struct.pack("Q", NET_BIND_AND_CONNECT)
        if self.abi >= 6:
            self._attributes += struct.pack("Q", SCOPE_ABSTRACT_SOCKET_AND_SIGNAL)
        handles = (_open_directory(path) for path in dict.fromkeys(readable))
        self._readable = [handle for handle in handles if handle is not None]

    def restrict(self, scratch: str) -> None:
        """Confine this process for good: it may read what was prepared, and write below `scratch` alone.

        Needs no-new-privileges to be set. Raises: OSError.
        """
        ruleset = linux.landlock_create_ruleset(self._attributes)
        try:
            for handle in self._readable:
                _allow(ruleset, handle, READ_FILE | READ_DIR)
            own = os.open(scratch, PATH_ONLY)
            _allow(ruleset, own, self._file_rights & ~NEVER)
            os.close(own)
            linux.landlock_restrict_self(ruleset)
        finally:
            os.close(ruleset)


def _open_directory(path: str) -> int | None:
    try:
        return os.open(path, PATH_ONLY)
    except OSError:
        return None


def _allow(ruleset: int, directory: int, rights: int) -> None:
    # struct landlock_path_beneath_attr is packed: 64 bits of rights, then a 32-bit descriptor.
    linux.landlock_add_path(ruleset, struct.pack("=Qi", rights, directory))
