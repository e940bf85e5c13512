"""What a WSGI server loads: `granian --interface wsgi scheduler.wsgi:app`."""

import gc

from scheduler import create_app
from scheduler.kit.frame import start_logging
from scheduler.kit.language import LANGUAGES, catalogue

start_logging()
app = create_app()
# What the first page would make is made here, once for all workers that are forked from this process.
for language in LANGUAGES:
    catalogue(language)
app.url_map.update()
# What is loaded by now never becomes garbage: leave it out of every search for garbage.
gc.collect()
gc.freeze()
# A page makes thousands of short-lived objects, and nearly all are freed without a search. The few that are not wait
# for one: with 20,000 in place of 4,000 they take 5 MiB in each worker.
gc.set_threshold(4_000, 20, 20)
