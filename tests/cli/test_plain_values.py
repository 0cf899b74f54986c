"""Messages as plain data: what scripts and people read."""

import pytest
from google.protobuf.duration_pb2 import Duration

from domgrpc.cli.output import plain
from domgrpc.v1.admin_pb2 import ServerStatus


@pytest.mark.parametrize("milliseconds", [0, 1, 774, 8_774, 15_003, 86_400_001])
def test_a_duration_has_the_digits_that_it_was_sent_with(milliseconds: int) -> None:
    seconds, rest = divmod(milliseconds, 1_000)
    status = ServerStatus(uptime=Duration(seconds=seconds, nanos=rest * 1_000_000))
    assert str(plain(status)["uptime"]) == str(milliseconds / 1_000)
