"""The standard library within a worker's reach, so that what it imports later is found.

A worker's user may read the library and yet not get to it: root's own Python often stands in a folder that is closed to
everyone else, and by then root has become nobody. `Library` opens the library while this is still root, and where the
way is barred it has Python look through that handle, at `/proc/self/fd/N`. The handle leads nowhere else: it is passed
on only to workers that Landlock confines. What this deliberately does not do: find third-party packages.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable

DESCRIPTOR = 30
"""Number of the handle, in the template and in its workers; below the limit on open files."""
BY_HANDLE = f"/proc/self/fd/{DESCRIPTOR}"
SHARED = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo")
"""What modules of the library load in their turn: shared objects and time zones."""


class Library:
    """The directory of the standard library; make it before rights are given up."""

    def __init__(self) -> None:
        self.directory = os.path.dirname(os.path.realpath(os.__file__))
        self._handle = _open(self.directory)
        self.is_reached_by_handle = False

    @property
    def readable(self) -> tuple[str, ...]:
        """Every directory that a worker must be able to read to import from the library."""
        if self.is_reached_by_handle:
            return (BY_HANDLE, *SHARED)
        extensions = sysconfig.get_config_var("DESTSHARED") or self.directory
        return (self.directory, str(extensions), *SHARED)

    @property
    def handles(self) -> tuple[int, ...]:
        """Handles that a worker has to keep."""
        return (DESCRIPTOR,) if self.is_reached_by_handle else ()

    def settle(self) -> None:
        """Look whether the way is open to the user that this has become; if not, go by the handle."""
        sys.dont_write_bytecode = True
        if self._handle is None:
            return
        if not os.access(self.directory, os.R_OK | os.X_OK):
            os.dup2(self._handle, DESCRIPTOR, inheritable=False)
            self.is_reached_by_handle = os.access(BY_HANDLE, os.R_OK | os.X_OK)
        if self.is_reached_by_handle:
            _rebase(_moving(self.directory, BY_HANDLE))
        os.close(self._handle)
        self._handle = None


def _open(directory: str) -> int | None:
    try:
        return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None  # such as a library inside an archive: then it is as reachable as it is


def _moving(old: str, new: str) -> Callable[[str], str]:
    def moved(path: str) -> str:
        is_inside = path == old or path.startswith(old + os.sep)
        return new + path[len(old) :] if is_inside else path

    return moved


def _rebase(moved: Callable[[str], str]) -> None:
    """Have Python look elsewhere for modules, and for what is missing of packages that are loaded."""
    sys.path[:] = [moved(os.path.realpath(path)) for path in sys.path]
    sys.path_importer_cache.clear()
    for module in list(sys.modules.values()):
        paths = getattr(module, "__path__", None)
        if isinstance(paths, list):
            paths[:] = [moved(os.path.realpath(path)) for path in paths]
