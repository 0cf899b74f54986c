"""Time zones by their IANA names, from the tzdata package and never from the machine.

Two servers must compute the same dates from the same log, so the rules of daylight saving come
with the installed packages: constraints.txt pins them. They are read like code is, once each.
"""

from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from domgrpc.core.geography import DEGREE_E7, Point

UTC = "UTC"
_DEGREES_PER_HOUR = 15


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of all zones."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


@lru_cache(maxsize=1_000)
def time_zone(name: str) -> ZoneInfo:
    """Return a zone by one of the names; ZoneInfo's constructor would ask the machine first."""
    assert name in zone_names(), name
    path = files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def nautical_zone(point: Point | None) -> str:
    """Return the name of the zone of whole hours in which a point lies, UTC for no point."""
    if point is None:
        return UTC
    hours_east = round(point.longitude_e7 / (_DEGREES_PER_HOUR * DEGREE_E7))
    # The names count hours west of Greenwich, as POSIX does.
    return f"Etc/GMT{-hours_east:+d}" if hours_east else UTC
