"""`python -m scheduler.serving …`: granian, with its own options, and the application loaded before the workers are
forked: they share the memory of what none of them changes. `granian … scheduler.wsgi:app` works as well, and takes
about twice the memory.
"""

import gc

from granian.cli import entrypoint

from scheduler.wsgi import app

if __name__ == "__main__":
    for template in app.jinja_env.list_templates():
        app.jinja_env.get_template(template)
    gc.collect()
    gc.freeze()
    entrypoint()  # type: ignore[no-untyped-call]
