"""The application for a WSGI server: `gunicorn wsgi:app`."""

from cds_service.web import counters, memory

counters.install()
with memory.loading():
    from cds_service.web.app import from_environment

    app = from_environment()
