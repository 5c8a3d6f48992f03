"""What happens once: importing the engine, starting to listen, making a session, compiling a program."""

from __future__ import annotations

import itertools
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from q_runtime import Session
from q_runtime.evaluate.compiler import lambda_spec
from q_runtime.lang import nodes as nd
from q_runtime.lang.parser import parse
from q_runtime.lang.tokenizer import statements
from tests.benchmarks.algorithms import ALGORITHMS
from tests.benchmarks.measure import ROUNDS, Measured, benchmark, elapsed, seconds

Q = Path(__file__).parents[2] / "q_runtime" / "bin" / "q"
FIFTY_LINES = ("sieve", "edit_distance", "matrix_chain", "knapsack")
"""Algorithms that are fifty lines together."""


@benchmark("q.import", "s")
def import_time() -> Measured:
    """Start Python and import the engine; the baseline imports NumPy alone."""
    return Measured(_start("import q_runtime"), _start("import numpy"))


def _start(statement: str) -> float:
    command = [sys.executable, "-c", statement]
    return elapsed(lambda: subprocess.run(command, check=True), rounds=7)


@benchmark("q.listen", "s")
def listen_time() -> Measured:
    """From starting `q -p PORT` until a client is let in; the baseline is a Python that starts and ends."""
    return Measured(min(_let_in() for _ in range(ROUNDS)), _start("pass"))


def _let_in() -> float:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "Q_RUNTIME_PYTHON": sys.executable}
    start = time.perf_counter()
    with subprocess.Popen(
        [Q, "-p", str(port), "-q"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        while not _accepts(port):
            time.sleep(0.001)
        taken = time.perf_counter() - start
        process.kill()
    return taken


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


@benchmark("q.session", "s")
def fresh_session() -> Measured:
    """Make a session."""
    return Measured(seconds(Session))


@benchmark("q.first_value", "s")
def first_value() -> Measured:
    """Make a session and evaluate one expression in it."""
    return Measured(seconds(lambda: Session().eval("1+1")))


@benchmark("q.compile", "s")
def compile_program() -> Measured:
    """Parse and compile fifty lines that were not seen before, every lambda included."""
    program = "".join(each.q for each in ALGORITHMS if each.name in FIFTY_LINES)
    Session()  # which loads the primitives that compiled code is written with
    return Measured(seconds(lambda: _compile(program, next(_numbers))))


_numbers = itertools.count()


def _compile(program: str, number: int) -> None:
    """Compile all statements; `number` makes the text of each lambda new, for compiled text is remembered."""
    fresh = re.sub(r"\{(\[[^]]*\])?", rf"{{\g<1>{number};", program)
    for _, text in statements(fresh):
        for node in parse(text):
            if isinstance(node, nd.Assign) and isinstance(node.value, nd.LambdaNode):
                lambda_spec(node.value).compiled("")
