"""App configuration; loads the system checks."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "qstudio.core"

    def ready(self) -> None:
        from qstudio.core import checks  # noqa: F401 - registers them
