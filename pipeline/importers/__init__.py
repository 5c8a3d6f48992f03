"""Importers: problem files of others become Problems, row by row, with a reason for every row that does not.

`import_file` does the work; `summarize` counts what came of it. What this deliberately does not do: touch a database.
"""

from __future__ import annotations

from pipeline.importers.importer import FORMATS, IMPORT_LIMITS, import_file
from pipeline.importers.report import ImportReport, summarize
from pipeline.importers.rows import ImportedRow

__all__ = ["FORMATS", "IMPORT_LIMITS", "ImportReport", "ImportedRow", "import_file", "summarize"]
