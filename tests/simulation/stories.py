"""Stories for the auditor: requests and what the log made of them, told in a few words."""

from typing import Any

from tests.simulation.auditor import Auditor

# Records, events, commands and lines as plain lists.
Plain = Any
NOON, DEADLINE = 1_000_000, 1_060_000
NOBODY, ANY = "", ["", 0]


def hold(name: str, *lines: Plain, revision: int = 3, at: int = NOON) -> Plain:
    due = at + DEADLINE - NOON
    return [1, name, "web", 1, list(lines or [line(3)]), ANY, "", due, at, at, revision, []]


def line(units: int, place: str = "north", *, backordered: int = 0) -> Plain:
    return ["tea", place, units, backordered, 0]


def location(name: str = "north", *, backorder: bool = False, window: Plain = None) -> Plain:
    return [4, name, "", 2, None, [1], backorder, window, NOON, NOON, 1]


def created(place: Plain) -> Plain:
    fields = {"display_name": "", "type": 2, "point": None, "clear_point": False}
    return ["CreateLocation", place[1], {**fields, "methods": place[5], "backorder": place[6]}]


def adjusted(delta: int) -> Plain:
    return [7, [[2, "tea", "north", delta, 1, 1, "", 0]], [2, 1, 0]]


def adjust(delta: int) -> Plain:
    return ["UpdateStock", [[2, "tea", "north", delta, 1, "", None]]]


def reserve(*lines: Plain, name: str = "h", scope: Plain = None) -> Plain:
    asked = [[*each[:2], each[2]] for each in lines or [line(3)]]
    return ["ReserveStock", asked, name, ANY, [None, DEADLINE - NOON], scope, 0, False, False, ""]


def reserved(*lines: Plain, name: str = "h", revision: int = 3) -> Plain:
    return [10, hold(name, *lines, revision=revision)]


def refused(reason: str, *short: Plain) -> Plain:
    return [16, [9, reason, "", {}, list(short)]]


CONFIRM, CONFIRMED = ["ConfirmReservation", "h", False, ""], [12, "h", [line(3)], False]
REVIVE, REVIVED = ["ConfirmReservation", "h", True, ""], [12, "h", [line(3)], True]
RELEASE, RELEASED = ["ReleaseReservation", "h", "", ""], [13, "h", [line(3)], ""]
SHIP, SHIPPED = ["SettleReservation", "h", 1, [], ""], [15, "h", 1, [["tea", "north", 3]]]
EXPIRED = [14, "h", [line(3)]]


class Story:
    """Requests and what the log made of them; a place and ten units of tea come first."""

    def __init__(self, place: Plain = None) -> None:
        self.auditor = Auditor()
        self.records: list[Plain] = []
        place = place or location()
        self.then(created(place), [1, place]).then(adjust(10), adjusted(10))

    def then(
        self, command: Plain, *events: Plain, at: int = NOON, request_id: str | None = None
    ) -> "Story":
        number = len(self.records) + 1
        name = f"r{number}" if request_id is None else request_id
        if command is not None:
            self.auditor.called(("web", name), command, number)
        self.records.append([number, at, list(events), "web", name, number])
        return self

    def timer(self, *events: Plain, at: int = NOON) -> "Story":
        return self.then(None, *events, at=at, request_id=NOBODY)

    def held(self) -> "Story":
        return self.then(reserve(), reserved())

    def told(self) -> Auditor:
        self.auditor.read(self.records)
        return self.auditor
