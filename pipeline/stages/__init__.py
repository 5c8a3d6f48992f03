"""The stages of a run. Each reads records from the run directory, does one thing, and writes records there."""
