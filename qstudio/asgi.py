"""ASGI entry point, for servers that speak it; nothing in the project needs it."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qstudio.settings")

application = get_asgi_application()
