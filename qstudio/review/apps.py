"""App configuration."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "qstudio.review"
