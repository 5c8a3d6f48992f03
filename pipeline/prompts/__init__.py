"""Prompt templates and how a Problem is rendered into one."""
