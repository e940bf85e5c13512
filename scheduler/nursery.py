"""Where granian's workers come from: the application is loaded, and they are forked with all of it in their memory."""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from granian import cli
from granian.server.mp import MPServer

# glibc's own numbers, from its malloc.h. A page is a whole text of up to a megabyte: given back as soon as it is sent,
# instead of kept by each thread for its next one.
TRIM_ABOVE, MAP_ABOVE, ARENAS = -1, -3, -8
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NOT_KEPT = "--workers-lifetime, --workers-max-rss, --metrics, --pid-file, --uds and --reload need granian itself"


def raise_workers(number: int, report: int) -> NoReturn:
    """Raise so many of granian's workers, 0 for as many as its options say, and end. What the keeper should know is
    written to `report`: how many were asked for, whether to replace them, how many seconds they have to stop and
    are left beside those that follow, and the process of each."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    class Nursery(MPServer):
        def _serve(self, spawn_target: Callable[..., None], target_loader: Callable[..., Any]) -> NoReturn:
            if self.workers_lifetime or self.workers_rss or self.metrics_enabled or self.pid_file or self.bind_uds:
                sys.exit(NOT_KEPT)
            self._init_shared_socket()  # type: ignore[no-untyped-call]
            app = target_loader()
            spare_memory()
            # The wish to stop is heard again by whoever can: each worker as soon as it begins, the keeper for all.
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)

            def begin() -> Any:  # noqa: ANN401 - any WSGI application
                os.close(report)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
                return app

            raised = [self._spawn_worker(place, spawn_target, begin).inner for place in range(number or self.workers)]
            for worker in raised:
                worker.start()
            told = (self.workers, int(self.respawn_failed_workers), self.workers_kill_timeout or "inf")
            words = (*told, self.respawn_interval, *(worker.pid for worker in raised))
            os.write(report, " ".join(map(str, words)).encode())
            os._exit(0)  # as an ordinary end would wait for the workers

        def _serve_with_reloader(self, *_: object) -> NoReturn:
            sys.exit(NOT_KEPT)

    vars(cli)["Server"] = Nursery  # granian's command line makes a server of this name
    cli.entrypoint()  # type: ignore[no-untyped-call]
    sys.exit()


def serve_alone() -> NoReturn:
    """Have granian keep the workers, which share what is loaded before they are forked."""
    import scheduler.wsgi  # noqa: F401 - loaded, for all workers to come

    spare_memory()
    cli.entrypoint()  # type: ignore[no-untyped-call]
    sys.exit()


def spare_memory() -> None:
    """Let glibc give memory back that no page uses any more (other C libraries are left as they are), and leave what
    is loaded by now out of every search for garbage."""
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, "mallopt") and hasattr(c_library, "malloc_trim"):
        c_library.mallopt(ARENAS, 1)
        c_library.mallopt(MAP_ABOVE, 1 << 16)
        c_library.mallopt(TRIM_ABOVE, 1 << 16)
        c_library.malloc_trim(0)
    gc.collect()
    gc.freeze()
