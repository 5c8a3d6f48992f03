"""The built-in problem set `demo`: short programs over lists, numbers, strings and words.

`operations` is the vocabulary, `grammar` how chains of it are written, `family` the Problems with
their splits and seeds, `augment` the training rows that are made from accepted Programs.
"""

from pipeline.problemsets.demo.augment import ProgramRow, accepted_row, digit_swaps, splices
from pipeline.problemsets.demo.family import (
    DemoFamily,
    SeedPlan,
    build_family,
    pretraining_programs,
)

__all__ = [
    "DemoFamily",
    "ProgramRow",
    "SeedPlan",
    "accepted_row",
    "build_family",
    "digit_swaps",
    "pretraining_programs",
    "splices",
]
