"""The web project: Problems, Runs and Reviews in a database, launched and watched from a browser. No training code."""
