"""The text that the demo policy starts from: Python and descriptions, and for the tokenizer the q of seeds.

No q of a Problem that the loop is to solve can get in: the functions here are given Problems without Solutions and
the seeds' Solutions, nothing else. What was used is kept in the run directory as evidence.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.problemsets.demo.family import pretraining_programs
from pipeline.prompts.render import demo_context
from pipeline.rundir import write_json
from pipeline.seeds import seed_for
from pipeline.stages.context import RunContext
from pipeline.trainers.base import TrainRow

TOKENIZER_CORPUS = "tokenizer_corpus.json"


def pretraining_rows(context: RunContext) -> list[TrainRow]:
    """Rows of Python and its description, without any q: random programs and the training Problems' own."""
    held_out = {
        problem.group
        for problem in context.problems.values()
        if problem.problem_set == "demo" and problem.split != "train"
    }
    programs = pretraining_programs(context.config.pretrain.programs, context.config.seed, held_out)
    programs += [(problem.reference, problem.statement) for problem in context.train]
    return [TrainRow(prompt="", completion=demo_context(python, text)) for python, text in programs]


def tokenizer_texts(context: RunContext) -> list[str]:
    """What the tokenizer learns its merges from: training Problems' Python and text, and the seeds' q."""
    texts = [demo_context(problem.reference, problem.statement) for problem in context.train]
    lent = {solution.problem for solution in context.usable_seeds} - {
        problem.slug for problem in context.train
    }
    texts += [
        demo_context(context.problems[s].reference, context.problems[s].statement)
        for s in sorted(lent)
    ]
    return texts + [solution.program for solution in context.usable_seeds]


def save_demo_policy(context: RunContext, out: Path) -> None:
    """Build the demo policy with random weights in `out`, once."""
    if (out / "config.json").exists() and (out / "tokenizer.json").exists():
        return
    from pipeline.trainers.demo_policy import build

    texts = tokenizer_texts(context)
    with context.reporter.stage("dataset", 0, "Building the demo policy from random weights"):
        write_json(out.parent / TOKENIZER_CORPUS, texts)
        n_parameters = build(
            context.config.policy, texts, seed_for(context.config.seed, "weights"), out
        )
        context.reporter.event(
            "policy_built",
            f"The demo policy has {n_parameters:,} parameters",
            n_parameters=n_parameters,
        )
