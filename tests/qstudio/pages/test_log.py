"""The log of a Run by byte offset: its end, what is new, what is older, the raw file; never the whole of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from qstudio.runs import logtail
from tests.qstudio.world import World, log_line


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 20,000 numbered lines, longer than one reading."""
    path = tmp_path / "attempt_1.log"
    path.write_text("".join(f"line {n}\n" for n in range(20_000)), encoding="utf-8")
    return path


def texts(chunk: logtail.LogChunk) -> list[str]:
    """The lines as text."""
    return [line.text for line in chunk.lines]


def test_the_end_is_whole_lines_and_no_more_than_a_chunk(log: Path):
    chunk = logtail.read_end(log)

    assert texts(chunk)[-1] == "line 19999"
    assert texts(chunk)[0].startswith("line 1")
    assert chunk.end == chunk.size == log.stat().st_size
    assert chunk.end - chunk.start <= logtail.CHUNK_BYTES


def test_older_chunks_join_without_gap_or_overlap(log: Path):
    chunk = logtail.read_end(log)
    lines = texts(chunk)
    while chunk.has_older:
        chunk = logtail.read_before(log, chunk.start)
        lines = texts(chunk) + lines

    assert lines == [f"line {n}" for n in range(20_000)]


def test_newer_chunks_join_without_gap_or_overlap(log: Path):
    offset, lines = 0, []
    while (chunk := logtail.read_after(log, offset)).lines:
        lines += texts(chunk)
        offset = chunk.end

    assert lines == [f"line {n}" for n in range(20_000)]


def test_a_torn_line_waits_for_its_end(tmp_path: Path):
    path = tmp_path / "attempt_1.log"
    path.write_bytes(b"whole\nto")
    first = logtail.read_end(path)
    path.write_bytes(b"whole\ntorn\n")
    second = logtail.read_after(path, first.end)

    assert texts(first) == ["whole"]
    assert texts(second) == ["torn"]


def test_a_log_begun_anew_is_read_from_its_end(tmp_path: Path):
    path = tmp_path / "attempt_1.log"
    path.write_text("short\n", encoding="utf-8")

    assert texts(logtail.read_after(path, 10_000)) == ["short"]


def test_a_line_longer_than_a_chunk_does_not_stop_it(tmp_path: Path):
    path = tmp_path / "attempt_1.log"
    path.write_text("x" * 200_000 + "\nafter\n", encoding="utf-8")
    offset, last = 0, []
    for _ in range(6):
        chunk = logtail.read_after(path, offset)
        offset, last = chunk.end, texts(chunk) or last

    assert last[-1] == "after"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("10%\r50%\r100%", "100%"),
        ("50%\r", "50%"),
        ("a\x00b", "a\ufffdb"),
    ],
)
def test_terminal_language_is_taken_out(raw: str, shown: str, tmp_path: Path):
    path = tmp_path / "attempt_1.log"
    path.write_text(f"{raw}\n", encoding="utf-8", newline="")

    assert texts(logtail.read_end(path)) == [shown]


def test_the_page_shows_the_end_escaped(reader: Client, world: World):
    text = reader.get(f"/runs/{world.finished.key}/log/").content.decode()

    assert "batch 399 of 400" in text
    assert "&lt;script&gt;alert" in text
    assert 'class="is-warning"' in text


def test_htmx_gets_new_lines_with_the_next_offset(
    reader: Client, world: World, htmx: dict[str, str]
):
    path = f"/runs/{world.running.key}/log/?process=1"
    first = reader.get(path)
    log_line(world.running, "one more")
    offset = first["X-Next-Offset"]
    second = reader.get(f"{path}&after={offset}", headers=htmx)
    third = reader.get(f"{path}&after={second['X-Next-Offset']}", headers=htmx)

    assert "<div>one more</div>" in second.content.decode()
    assert f"after={second['X-Next-Offset']}" in second.content.decode()
    assert "one more" not in third.content.decode()
    assert int(second["X-Next-Offset"]) == int(offset) + len("one more\n")


def test_a_finished_run_is_not_polled(reader: Client, world: World, htmx: dict[str, str]):
    text = reader.get(f"/runs/{world.finished.key}/log/?after=0", headers=htmx).content.decode()

    assert "hx-get" not in text


def test_the_raw_log_is_a_download(reader: Client, world: World):
    response = reader.get(f"/runs/{world.finished.key}/log/raw/")
    body = b"".join(response.streaming_content)

    assert body == Path(world.finished.directory, "logs", "attempt_1.log").read_bytes()
    assert "attachment" in response["Content-Disposition"]
    assert response["Content-Type"].startswith("text/plain")


def test_a_run_without_a_log_says_so(reader: Client, world: World):
    response = reader.get(f"/runs/{world.failed.key}/log/")

    assert "There is no log yet" in response.content.decode()
    assert reader.get(f"/runs/{world.failed.key}/log/raw/").status_code == 404
    assert reader.get(f"/runs/{world.failed.key}/log/?process=9").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", "after=99999999999999999999", "before=0", "process=..%2F..%2Fx"],
)
def test_odd_offsets_are_borne(query: str, reader: Client, world: World):
    assert reader.get(f"/runs/{world.finished.key}/log/?{query}").status_code in (200, 404)
