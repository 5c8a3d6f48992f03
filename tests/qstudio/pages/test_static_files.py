"""What the browser is served: vendored files are those that VERSIONS names, and nothing needs a network or eval."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
VENDOR = ROOT / "static" / "vendor"
ROWS = [
    line.split("\t")
    for line in (VENDOR / "VERSIONS").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def test_every_vendored_file_is_listed():
    assert {row[2] for row in ROWS} == {path.name for path in VENDOR.iterdir()} - {"VERSIONS"}


@pytest.mark.parametrize(
    ("name", "version", "file", "digest", "licence"), ROWS, ids=[row[0] for row in ROWS]
)
def test_a_vendored_file_is_what_it_was(
    name: str, version: str, file: str, digest: str, licence: str
):
    assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == digest
    assert version in file
    assert licence in ("MIT", "0BSD")


def test_templates_and_scripts_refer_to_files_that_exist():
    templates = [path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html")]
    named = {name for text in templates for name in re.findall(r"\{% static '([^']+)'", text)}

    assert named
    assert [name for name in named if not (ROOT / "static" / name).is_file()] == []


def test_nothing_is_loaded_from_elsewhere():
    own = [
        *(ROOT / "templates").rglob("*.html"),
        *(ROOT / "static" / "js").iterdir(),
        *(ROOT / "static" / "css").iterdir(),
    ]
    found = {
        str(path): re.findall(
            r"(?:src|href|url\(|import )\W*https?://[^\s\"']+", path.read_text(encoding="utf-8")
        )
        for path in own
    }

    assert {path: urls for path, urls in found.items() if urls} == {}


def test_no_template_marks_text_as_safe():
    found = [
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(r"\|safe\b|autoescape off", path.read_text(encoding="utf-8"))
    ]

    assert found == []
