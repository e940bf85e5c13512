"""The public page of tonight beside a bare Flask hello on the same server: eight clients, kept alive.

Measured: pages a second as a cache in front would ask for them, and processor time of the server for one page.
"""

from pathlib import Path

from .client import request
from .feed import Hello, Polls, beside
from .figures import Figure
from .product import Product
from .reference import Bare

LEAST_RATE = 0.5


def measure(product: Product, bare: Bare, database: str, folder: Path, *, rounds: int, requests: int) -> list[Figure]:
    tonight = Polls(product, "tonight", 200)
    tonight.ready = [request("/tonight")]
    return beside(Hello(bare), tonight, database, folder, rounds, requests, LEAST_RATE, bench="tonight")
