"""A scratch directory is removed whatever was built in it."""

from __future__ import annotations

import os
from pathlib import Path

from q_runtime.sandbox.scratch import remove_scratch


def test_an_empty_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    remove_scratch(str(tmp_path / "scratch"))

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_scratch(str(tmp_path / "nowhere"))


def test_files_links_and_folders_without_rights_are_removed_and_links_not_followed(
    tmp_path: Path,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    scratch = tmp_path / "scratch"
    (scratch / "a" / "b").mkdir(parents=True)
    (scratch / "a" / "file").write_text("x")
    (scratch / ".0").write_text("the name that the first folder would be moved to")
    os.symlink(outside, scratch / "a" / "link")
    os.mkfifo(scratch / "a" / "b" / "pipe")
    (scratch / "a" / "b").chmod(0)
    (scratch / "a").chmod(0)
    remove_scratch(str(scratch))

    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (outside / "kept").read_text() == "kept"


def test_folders_nested_deeper_than_a_path_can_be_are_removed(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    here = os.open(scratch, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d" * 100, dir_fd=here)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove_scratch(str(scratch))

    assert list(tmp_path.iterdir()) == []
