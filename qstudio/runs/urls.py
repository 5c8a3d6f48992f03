"""Addresses of the overview, Runs, Iterations, Evaluations and Attempts."""

from __future__ import annotations

from django.urls import path

from qstudio.runs.views import acts, attempts, evaluations, launch, logs, overview, runs

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("runs/", runs.runs, name="runs"),
    path("runs/new/", launch.launch, name="launch"),
    path("runs/<slug:key>/", runs.run, {"tab": "summary"}, name="run"),
    path("runs/<slug:key>/training/", runs.run, {"tab": "training"}, name="run_training"),
    path("runs/<slug:key>/events/", runs.run, {"tab": "events"}, name="run_events"),
    path("runs/<slug:key>/config/", runs.run, {"tab": "config"}, name="run_config"),
    path("runs/<slug:key>/log/", logs.log, name="run_log"),
    path("runs/<slug:key>/log/raw/", logs.raw, name="run_log_raw"),
    path("runs/<slug:key>/charts/<slug:name>.csv", runs.chart_csv, name="run_chart_csv"),
    path("runs/<slug:key>/stop/", acts.stop, name="run_stop"),
    path("runs/<slug:key>/kill/", acts.kill, name="run_kill"),
    path("runs/<slug:key>/resume/", acts.resume, name="run_resume"),
    path("iterations/", runs.iterations, name="iterations"),
    path("evaluations/", evaluations.evaluations, name="evaluations"),
    path("evaluations/<slug:run_key>/<str:key>/", evaluations.evaluation, name="evaluation"),
    path("attempts/", attempts.attempts, name="attempts"),
    path("attempts/<int:pk>/", attempts.attempt, name="attempt"),
]
