"""Removing what a worker left in its scratch directory, however it was built.

A hostile worker nests directories thousands deep, so that whoever walks down runs out of stack, of handles or of path
length, and gives directories no rights. So nothing is walked: a directory inside a directory is moved to the top, and
only what is empty is removed. What this deliberately does not do: follow links, or leave the directory.
"""

from __future__ import annotations

import contextlib
import itertools
import os

OWNER_ONLY = 0o700


def remove_scratch(directory: str) -> None:
    """Remove a directory with all that is in it; what the system refuses to remove stays, without an error."""
    with contextlib.suppress(OSError):
        os.rmdir(directory)  # the usual case: nothing was written
        return
    numbers = itertools.count()
    waiting = [directory]
    with contextlib.suppress(OSError):
        os.chmod(directory, OWNER_ONLY)
        while waiting:
            folder = waiting.pop()
            waiting += _emptied(folder, directory, numbers)
            if folder != directory:
                os.rmdir(folder)
        os.rmdir(directory)


def _emptied(folder: str, top: str, numbers: itertools.count[int]) -> list[str]:
    """Remove the files of a folder; return the folders that were in it, which now are at the top."""
    found = []
    with os.scandir(folder) as entries:
        listed = list(entries)
    for entry in listed:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.path)
            continue
        place = next(path for number in numbers if not os.path.lexists(path := f"{top}/.{number}"))
        os.chmod(entry.path, OWNER_ONLY)  # else it could be neither moved nor read
        os.rename(entry.path, place)
        found.append(place)
    return found
