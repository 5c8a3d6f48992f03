"""Runs: launching, watching, ingesting and showing what the pipeline does."""
