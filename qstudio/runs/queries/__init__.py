"""Reads for the pages of Runs: each module gives one page's context as a frozen dataclass."""
