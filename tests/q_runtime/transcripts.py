"""Reads golden transcripts: q console sessions with the output that each input must print.

Lines that start with `/` before a prompt are comments; `/ xfail: reason` marks the next prompt as a known gap.
Output runs to the next prompt or comment line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from q_runtime import QError, RuntimeFault, Session

CONFORMANCE = Path(__file__).parent / "conformance"


@dataclass
class Step:
    """One prompt: what is entered and what must be printed."""

    line: int
    text: str
    output: list[str] = field(default_factory=list)
    xfail: str = ""


@dataclass
class Outcome:
    """What one prompt printed against what it must print."""

    step: Step
    actual: str

    @property
    def expected(self) -> str:
        """The golden output."""
        return "\n".join(line.rstrip() for line in self.step.output)

    @property
    def is_equal(self) -> bool:
        """Whether they are the same; errors are compared by name."""
        return self.expected == self.actual


def read_transcript(path: Path) -> list[Step]:
    """Read the steps of a transcript file."""
    steps: list[Step] = []
    reason = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("/ xfail:"):
            reason = line.partition(":")[2].strip()
        elif line.startswith("/ "):
            continue
        elif line.startswith("q)"):
            steps.append(Step(number, line[2:], xfail=reason))
            reason = ""
        elif steps:
            steps[-1].output.append(line)
    return steps


def replay(path: Path) -> list[Outcome]:
    """Run a transcript in one fresh session, as a console would."""
    session = Session()
    out = []
    for step in read_transcript(path):
        try:
            printed = session.console(step.text)
        except QError as error:
            printed = f"'{error.code}"
        except RuntimeFault as fault:
            printed = f"{type(fault).__name__}: {fault}"
        out.append(Outcome(step, "\n".join(line.rstrip() for line in printed.split("\n"))))
    return out
