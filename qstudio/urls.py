"""Every address of the dashboard; the apps list their own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("qstudio.core.urls")),
    path("", include("qstudio.runs.urls")),
    path("problems/", include("qstudio.problems.urls")),
    path("admin/", admin.site.urls),
]
