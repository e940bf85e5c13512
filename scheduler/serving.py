"""`python -m scheduler.serving …`: granian, with its own options, and the application loaded before the workers are
forked: they start at once and share the memory of what none of them changes. `granian … scheduler.wsgi:app` works
as well, and takes more memory.
"""

import ctypes

from granian.cli import entrypoint

import scheduler.wsgi  # noqa: F401 - loaded, and left out of every search for garbage, for all workers to come

# glibc's own numbers, from its malloc.h. A page is a whole text of up to a megabyte: given back as soon as it is sent,
# instead of kept by each thread for its next one.
TRIM_ABOVE, MAP_ABOVE, ARENAS = -1, -3, -8


def spare_memory() -> None:
    """Let glibc give memory back that no page uses any more; other C libraries are left as they are."""
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, "mallopt") and hasattr(c_library, "malloc_trim"):
        c_library.mallopt(ARENAS, 1)
        c_library.mallopt(MAP_ABOVE, 1 << 16)
        c_library.mallopt(TRIM_ABOVE, 1 << 16)
        c_library.malloc_trim(0)


if __name__ == "__main__":
    spare_memory()
    entrypoint()  # type: ignore[no-untyped-call]
