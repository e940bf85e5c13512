"""`python -m scheduler.serving …`: granian, with its own options, and the application loaded before the workers are
forked: they start at once and share the memory of what none of them changes. `granian … scheduler.wsgi:app` works
as well, and takes more memory.
"""

from granian.cli import entrypoint

import scheduler.wsgi  # noqa: F401 - loaded, and left out of every search for garbage, for all workers to come

if __name__ == "__main__":
    entrypoint()  # type: ignore[no-untyped-call]
