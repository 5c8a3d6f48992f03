"""`python -m q_runtime [FILE.q] [-q]`: a q console, or a script run. See console.py."""

from __future__ import annotations

import sys

from q_runtime.console import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
