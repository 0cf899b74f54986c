"""Messages for load that is offered faster than one could build it: bytes with a fresh id each.

A message is built once; what differs from one sending to the next, the middle of its request
ids, is put into its bytes. It has the same length every time, so that the bytes stay a message.
"""

from benchmarks.reserve_workload import reserves
from benchmarks.stocked_server import reserve_request
from domgrpc.v1.pipeline_pb2 import ExecuteRequest

_PLACE = b"@PLACE@@"
_NUMBER_DIGITS = len(_PLACE)


class Message:
    """The bytes of an Execute call, again and again with new ids."""

    def __init__(self, pattern: bytes, first_number: int) -> None:
        """Take the bytes, in which the place of the number is marked."""
        self._parts = pattern.split(_PLACE)
        self._number = first_number

    def next(self) -> bytes:
        """Return the bytes with ids that no message before had."""
        number = str(self._number).zfill(_NUMBER_DIGITS)
        self._number += 1
        return number.encode().join(self._parts)


def churn_message(reserve_count: int, *, first_number: int = 1) -> Message:
    """Return a call of so many reserves, each released by the operation that follows it."""
    request = ExecuteRequest()
    mark = _PLACE.decode()
    for number, reserve in enumerate(reserves(reserve_count, seed=0)):
        hold = request.operations.add().reserve_stock
        hold.CopyFrom(reserve_request(reserve))
        hold.request_id = hold.reservation_id = f"hold-{mark}-{number}".replace("@", "_")
        release = request.operations.add().release_reservation
        release.request_id = f"end-{mark}-{number}".replace("@", "_")
        release.reservation_id = hold.reservation_id
    pattern = request.SerializeToString().replace(mark.replace("@", "_").encode(), _PLACE)
    return Message(pattern, first_number)
