"""Addresses of sign-in, preferences and help."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from qstudio.core import views

urlpatterns = [
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("theme/", views.choose_theme, name="theme"),
    path("keys/", views.choose_keys, name="keys"),
    path("help/shortcuts/", views.shortcuts, name="shortcuts"),
]
