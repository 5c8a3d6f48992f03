"""The command line of the q console: which options there are and what they mean. Loads nothing of the engine.

The options are those of kdb+ as far as they make sense here; what follows the script and is no option is the
script's own (`.z.x`).
"""

from __future__ import annotations

USAGE = """usage: python -m q_runtime [FILE.q] [-q] [-p PORT] [-c ROWS COLUMNS] [-P DIGITS] [-S SEED] [-T SECONDS]
  -q  no banner              -c  console size
  -P  digits shown (0: all)  -S  random seed
  -T  most seconds an input may take
  -p  listen for kdb+ clients: [rp,][HOST:]PORT, PORT a number, A/B or 0W for any free one, which is printed
  -u  file of user:password  -U  the same
"""

NUMBERS = {"-c": 2, "-C": 2, "-P": 1, "-S": 1, "-T": 1, "-e": 1, "-g": 1, "-W": 1}
"""Options and how many numbers follow each."""
WORDS = ("-p", "-u", "-U")
"""Options with one argument that need not be a number."""
FLAGS = ("-q",)
SIGNED = ("-S",)
"""Options whose number may be negative."""


class CommandLine:
    """What was asked for."""

    def __init__(self) -> None:
        self.script: str | None = None
        self.options: dict[str, list[str]] = {}
        self.words: list[str] = []
        """What belongs to the script: `.z.x`."""


def read_command_line(arguments: list[str]) -> CommandLine:
    """Read the arguments after the program's name.

    The first argument that is no option is the script.
    Raises: ValueError whose text is the argument that is not understood.
    """
    made = CommandLine()
    left = list(arguments)
    while left:
        word = left.pop(0)
        count = NUMBERS.get(word, 1 if word in WORDS else 0)
        values = left[:count]
        if word in NUMBERS or word in WORDS or word in FLAGS:
            if len(values) < count or (
                word in NUMBERS and not all(_is_number(word, v) for v in values)
            ):
                raise ValueError(word)
            made.options[word] = values
            del left[:count]
        elif made.script is not None:
            made.words.append(word)
        elif word.startswith("-"):
            raise ValueError(word)
        else:
            made.script = word
    return made


def _is_number(option: str, text: str) -> bool:
    digits = text.removeprefix("-") if option in SIGNED else text
    return digits.isdigit()
