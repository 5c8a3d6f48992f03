"""What every app of the web project leans on: settings from the environment, system checks, operating commands."""
