"""The console program: what a person sees through a terminal, and a script through a pipe."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "q_runtime"]
ROOT = Path(__file__).resolve().parents[2]


def piped(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], input=text, capture_output=True, text=True, cwd=ROOT, check=False
    )


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, home: Path) -> None:
        self.master, slave = pty.openpty()
        environment = {**os.environ, "HOME": str(home), "TERM": "dumb"}
        self.program = subprocess.Popen(
            COMMAND, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def until(self, text: str) -> str:
        """Read until `text` appears."""
        seen = ""
        while text not in seen:
            seen += os.read(self.master, 4096).decode()
        return seen

    def whatever_comes(self) -> str:
        """Read what is printed until nothing comes for a moment."""
        seen = ""
        while select.select([self.master], [], [], 0.5)[0]:
            seen += os.read(self.master, 4096).decode()
        return seen

    def send(self, text: str) -> None:
        """Type `text`."""
        os.write(self.master, text.encode())


def test_piped_input_prints_values_without_prompts() -> None:
    assert piped("1+1\n{x+\n y}[1;2]\n", "-q").stdout == "2\n3\n"


def test_an_error_shows_its_line_and_a_caret() -> None:
    assert piped("nosuch+1\n").stdout == "'nosuch\n  [0]  nosuch+1\n       ^\n"


def test_exit_leaves_with_its_code() -> None:
    assert piped("exit 3\n").returncode == 3
    assert piped("\\\\\n").returncode == 0


def test_an_error_in_a_script_names_the_file_and_the_line(tmp_path: Path) -> None:
    script = tmp_path / "a.q"
    script.write_text("x:1\nnosuch+1\n")

    done = piped("", str(script))

    assert (
        done.stdout
        == f"'nosuch\n  [0]  {script}:2: nosuch+1\n{' ' * len(f'  [0]  {script}:2: ')}^\n"
    )
    assert done.returncode == 1


def test_options_set_precision_and_size_and_an_unknown_one_is_refused() -> None:
    assert piped("1%3\n", "-P", "3").stdout == "0.333\n"
    assert piped("\\c\n", "-c", "30", "100").stdout == "30 100i\n"
    assert piped("", "-Z", "1").returncode == 2
    assert piped("", "-?").stdout.startswith("usage")


def test_a_terminal_shows_the_namespace_and_leaves_at_the_end_of_input(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("q)")
    terminal.send("\\d .abc\n")
    terminal.until("q.abc)")
    terminal.send("\x04")

    assert terminal.program.wait(timeout=60) == 0


def test_an_interrupt_stops_the_evaluation_and_not_the_program(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("q)")
    try:
        seen = ""
        while "'stop" not in seen:  # an interrupt just before the evaluation only asks again
            terminal.send("while[1b;1+1]\n")
            terminal.until("]\r\n")
            seen = ""
            while "q)" not in seen:  # one that meets another is lost
                terminal.program.send_signal(signal.SIGINT)
                seen += terminal.whatever_comes()

        assert terminal.program.poll() is None
    finally:
        terminal.program.kill()
        terminal.program.wait()
