"""What a WSGI server loads: `granian --interface wsgi scheduler.wsgi:app`."""

import gc

from scheduler import create_app
from scheduler.kit.frame import start_logging

start_logging()
app = create_app()
# What is loaded by now never becomes garbage: leave it out of every search for garbage.
gc.collect()
gc.freeze()
# A page makes thousands of short-lived objects; nearly all are freed without a search.
gc.set_threshold(20_000, 20, 20)
