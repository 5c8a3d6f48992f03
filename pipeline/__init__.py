"""The learning loop as plain Python: problems in, verified q and better policies out.

Stages read a resolved config and a run directory and write records there. Nothing in this package knows of
Django, and only `generators/` and `trainers/` may import torch or what is built on it.
"""
