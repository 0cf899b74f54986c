"""How messages of refusals write times: instants as ISO 8601 in UTC, hours of a day as hh:mm.

The facts beside a message keep their integers; only sentences are for people.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_MINUTES = 60


def instant_text(time_ms: int) -> str:
    """Return an instant as 2030-01-31T18:00:00Z, with milliseconds where it has any."""
    detail = "milliseconds" if time_ms % 1_000 else "seconds"
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.replace(tzinfo=None).isoformat(timespec=detail) + "Z"


def hour_text(minute: int) -> str:
    """Return minutes after midnight as 09:30; 24:00 is the end of the day."""
    return f"{minute // _HOUR_MINUTES:02}:{minute % _HOUR_MINUTES:02}"


def seconds_text(duration_ms: int) -> str:
    """Return a duration in seconds, with as many decimals as it has."""
    return f"{duration_ms / 1_000:.3f}".rstrip("0").rstrip(".") + " s"
