"""A Problem as the text that a policy sees. Tests, hidden or public, and Solutions are never part of it.

Formats: `demo` is the row format of the small policy trained from scratch; `chat` wraps the instruction in the
tokenizer's own chat template; `plain` is the instruction itself, for base models without a template.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.records import Problem, Prompt, content_hash

PYTHON_TOKEN = "<py>"
DESCRIPTION_TOKEN = "<d>"
Q_TOKEN = "<q>"

_INSTRUCTION = (Path(__file__).parent / "instruction.txt").read_text(encoding="utf-8")

ChatTemplate = Callable[[list[dict[str, str]]], str]


def demo_context(reference: str, statement: str) -> str:
    """Python and description in the demo format, without the marker that asks for q."""
    return f"{PYTHON_TOKEN}{reference.strip()}{DESCRIPTION_TOKEN}{statement.strip()}"


def demo_prompt(reference: str, statement: str) -> str:
    """The demo format up to the place where q begins."""
    return demo_context(reference, statement) + Q_TOKEN


def instruction(problem: Problem) -> str:
    """The task in words, for models that follow instructions."""
    names = ", ".join(f"{param.name} ({param.type})" for param in problem.params)
    return _INSTRUCTION.format(
        statement=problem.statement.strip(),
        reference=problem.reference.strip(),
        entry_point=problem.entry_point,
        n_params=len(problem.params),
        plural="" if len(problem.params) == 1 else "s",
        params=names,
        returns=problem.returns,
    )


def render(
    problem: Problem, prompt_format: str, chat_template: ChatTemplate | None = None
) -> Prompt:
    """The Prompt for a Problem in a format; `chat` needs the tokenizer's template."""
    if prompt_format == "demo":
        text = demo_prompt(problem.reference, problem.statement)
    elif prompt_format == "chat":
        if chat_template is None:
            raise ValueError("the chat format needs a tokenizer with a chat template")
        text = chat_template([{"role": "user", "content": instruction(problem)}])
    else:
        text = instruction(problem)
    return Prompt(id=content_hash(text), problem=problem.slug, text=text)


def render_completion(program: str, prompt_format: str) -> str:
    """What the policy should answer with for a Program: bare q in the demo format, else a fenced block."""
    return program.strip() if prompt_format == "demo" else f"```q\n{program.strip()}\n```"
