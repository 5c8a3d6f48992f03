"""Errors of the pipeline: one class per kind of trouble, each with a sentence that says what to do.

    PipelineError
      ConfigError       a setting is unknown, missing or out of range
      RecordError       a file does not hold the record that it should
      RunDirError       a run directory cannot be created, read or written
      GenerationError   a policy could not be loaded or sampled
      TrainingError     a training step could not be carried out
      GradingError      verdicts could not be obtained (never: a Program was wrong)
        GradingPaused   there is no q engine now; what is saved stays, and the run may be resumed
      ImportProblemsError   a problem file cannot be read at all
    StopRequested       not an error: somebody asked the run to stop and save

A wrong Program is data (`records.Verdict`), never an exception.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Something that a person can put right; `str(error)` is one sentence for them."""


class ConfigError(PipelineError):
    """A setting is unknown, missing or out of range."""


class RecordError(PipelineError):
    """A file does not hold the record that it should."""


class RunDirError(PipelineError):
    """A run directory cannot be created, read or written."""


class GenerationError(PipelineError):
    """A policy could not be loaded or sampled."""


class TrainingError(PipelineError):
    """A training step could not be carried out."""


class GradingError(PipelineError):
    """Verdicts could not be obtained; this never means that a Program was wrong."""


class GradingPaused(GradingError):
    """There is no q engine: none could be started, or it went away. Nothing was judged; the work may be resumed."""


class ImportProblemsError(PipelineError):
    """A file of problems cannot be read at all."""


class StopRequested(Exception):  # a request, not an error
    """Raised at a safe point after somebody asked the run to stop and save."""
