"""What a WSGI server loads: `granian --interface wsgi scheduler.wsgi:app`."""

from scheduler import create_app
from scheduler.kit.frame import start_logging

start_logging()
app = create_app()
