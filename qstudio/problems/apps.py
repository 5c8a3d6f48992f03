"""App configuration."""

from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    name = "qstudio.problems"
