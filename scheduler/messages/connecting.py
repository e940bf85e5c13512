"""Connections that ask for the lease before each piece they write. Imports the libraries: only for the worker."""

import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from scheduler.messages import lease


class _Connection(HTTPConnection):
    def send(self, data: Any) -> None:  # noqa: ANN401 - as the standard library has it
        if self.sock is None:
            self.connect()
        lease.ask()
        super().send(data)


class _SafeConnection(HTTPSConnection):
    def send(self, data: Any) -> None:  # noqa: ANN401
        if self.sock is None:
            self.connect()
        lease.ask()
        super().send(data)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SafePool(HTTPSConnectionPool):
    ConnectionCls = _SafeConnection


class LeasedAdapter(HTTPAdapter):
    """Has such connections. What they wrote is not delivered later than `call_seconds` either: the
    kernel does not go on trying for a process that has given up, or is dead."""

    def __init__(self, call_seconds: float) -> None:
        self._call_seconds = call_seconds
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - as requests has it
        super().init_poolmanager(*args, socket_options=self._socket_options(), **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SafePool}

    def proxy_manager_for(self, proxy: Any, **more: Any) -> Any:  # noqa: ANN401
        manager = super().proxy_manager_for(proxy, socket_options=self._socket_options(), **more)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SafePool}
        return manager

    def _socket_options(self) -> list[tuple[int, int, int]]:
        options = list(HTTPConnection.default_socket_options)
        if (user_timeout := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
            options.append((socket.IPPROTO_TCP, user_timeout, int(self._call_seconds * 1000)))
        return options
