"""The client library: everything that a program needs to call a domgrpc server.

`DomgrpcClient` is for asyncio, `SyncClient` for scripts. Imports nothing of the server.
"""

from domgrpc.client.client import DomgrpcClient
from domgrpc.client.connection import Tls
from domgrpc.client.errors import DomgrpcError, FieldViolation
from domgrpc.client.order_values import Item, Terms, address_of
from domgrpc.client.paging import pages
from domgrpc.client.retries import RetryPolicy
from domgrpc.client.sync import SyncClient
from domgrpc.client.values import (
    Line,
    adjust_stock,
    announce_supply,
    at_locations,
    count_stock,
    in_groups,
    move_stock,
    near,
    receive_supply,
)

__all__ = [
    "DomgrpcClient",
    "DomgrpcError",
    "FieldViolation",
    "Item",
    "Line",
    "RetryPolicy",
    "SyncClient",
    "Terms",
    "Tls",
    "address_of",
    "adjust_stock",
    "announce_supply",
    "at_locations",
    "count_stock",
    "in_groups",
    "move_stock",
    "near",
    "pages",
    "receive_supply",
]
