"""Addresses of the Problems pages."""

from __future__ import annotations

from django.urls import path

from qstudio.problems import views

urlpatterns = [
    path("", views.problems, name="problems"),
    path("<slug:slug>/", views.problem, name="problem"),
]
