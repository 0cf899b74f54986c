"""Verdicts: whether a request led to what the naive model says it had to lead to.

`judge` is told the command, the event that it became and the books as they were right before.
"""

from collections.abc import Callable

from tests.simulation import (
    hold_verdicts,
    order_replans,
    order_verdicts,
    parcel_verdicts,
    quote_verdicts,
    routing_verdicts,
)
from tests.simulation.books import CHANGED, NOTHING, REFUSED, Books, Plain
from tests.simulation.figures import Draft
from tests.simulation.refusals import refused

Verdict = Callable[[Books, Plain, Plain, tuple[str, str]], None]


def judge(books: Books, command: Plain, event: Plain, request: tuple[str, str]) -> None:
    """Object where a command must not have become this event; `request` is (client, id)."""
    if command[0] == "PlaceOrder" and not command[3]:
        # An order without an id has that of its request.
        command = [*command[:3], request[1], *command[4:]]
    if event[0] == REFUSED:
        refused(books, command, event[1])
        return
    tag, verdict = _VERDICTS[command[0]]
    assert event[0] in (tag, NOTHING), f"{command[0]} became an event {event[0]}"
    if event[0] == NOTHING:
        assert event[2] == _keys(tag, command), f"{command} left {event[2]} as it was"
    verdict(books, command, event, request)
    if event[0] == CHANGED:
        parcel_verdicts.check_guests(books, [event[1]], event[4], request[0])


def _keys(tag: int, command: Plain) -> Plain:
    match tag:
        case 4:
            return [sku for sku, _ in command[1]]
        case 8:
            return [command[1], str(command[2])]
        case 21:
            return [command[1][0], str(command[1][1])]
        case 24:
            return [str(command[1])]
        case _:
            return [command[1]]


# --- stock


def _stock_updated(books: Books, command: Plain, event: Plain, _request: object) -> None:
    draft = Draft(books)
    refusals = [draft.apply(update) for update in command[1]]
    assert not any(refusals), f"should have been refused: {refusals}"
    assert event[1] == draft.changes
    assert event[2][:2] == [2, len(command[1])]


def _batch_applied(books: Books, command: Plain, event: Plain, _request: object) -> None:
    _, source, sequence, updates = command
    if event[0] == NOTHING:
        assert sequence <= books.sequences.get(source, 0), "a new batch was skipped"
        return
    draft = Draft(books)
    refusals = [draft.apply(update) for update in updates]
    told = {place: rejection[1] for place, rejection in event[3][3]}
    assert told == {place: reason for place, reason in enumerate(refusals) if reason}
    assert event[1:3] == [source, draft.changes]
    assert event[3][:3] == [3, sequence, len(updates) - len(told)]


# --- places, products, rules


def _location_created(books: Books, command: Plain, event: Plain, _request: object) -> None:
    _, name, fields = command
    is_new = event[0] != NOTHING
    assert is_new != (name in books.locations), f"{name} was created twice, or not at all"
    location = event[1] if is_new else books.locations[name]
    _check_location(location, name, fields)


def _location_updated(books: Books, command: Plain, event: Plain, _request: object) -> None:
    _, name, fields, etag, _ = command
    old = books.locations[name]
    assert etag in ("", str(old[-1])), "an old etag was accepted"
    location = old if event[0] == NOTHING else event[1]
    _check_location(location, name, fields)
    assert location[7] == old[7], "the window was not to change"
    assert event[0] == NOTHING or location[:8] != old[:8], "nothing was changed and logged"


def _check_location(location: Plain, name: str, fields: Plain) -> None:
    display_name, kind, _, _, methods, backorder = fields.values()
    assert location[1] == name
    assert display_name in (None, location[2])
    assert kind in (None, location[3])
    assert methods in (None, location[5])
    assert backorder in (None, location[6])


def _location_state_set(books: Books, command: Plain, event: Plain, _request: object) -> None:
    _, name, enabled, reason, start_ms, end_ms, _ = command
    start_ms = books.time_ms if start_ms is None else start_ms
    window = None if enabled else [reason, start_ms, end_ms]
    location = books.locations[name] if event[0] == NOTHING else event[1]
    assert location[1] == name
    assert location[7] == window, f"{name} has the window {location[7]}, not {window}"


def _group_created(books: Books, command: Plain, event: Plain, _request: object) -> None:
    _, name, display_name, members = command
    is_new = event[0] != NOTHING
    assert is_new != (name in books.groups)
    group = event[1] if is_new else books.groups[name]
    assert group[1:4] == [name, display_name, sorted(set(members))]


def _group_updated(books: Books, command: Plain, event: Plain, _request: object) -> None:
    _, name, display_name, members, _, _ = command
    old = books.groups[name]
    group = old if event[0] == NOTHING else event[1]
    assert group[1] == name
    assert group[2] == (old[2] if display_name is None else display_name)
    assert group[3] == (old[3] if members is None else sorted(set(members)))


def _group_deleted(books: Books, command: Plain, event: Plain, _request: object) -> None:
    assert event[1] == command[1]
    assert command[1] in books.groups


def _products_created(books: Books, command: Plain, event: Plain, _request: object) -> None:
    saved = {product[0]: product[1] for product in event[1]} if event[0] != NOTHING else {}
    for sku, fields in command[1]:
        assert (sku in books.products) == (event[0] == NOTHING)
        assert saved.get(sku, fields) == fields


def _products_updated(books: Books, command: Plain, event: Plain, _request: object) -> None:
    # The workload updates display names, which come first.
    _, products, names, _, _ = command
    assert names == ["display_name"]
    saved = {product[0]: product[1] for product in event[1]} if event[0] != NOTHING else {}
    for sku, fields in products:
        old = books.products.get(sku)
        if event[0] == NOTHING:
            assert old is None or old[1][0] == fields[0]
            continue
        assert saved[sku][0] == fields[0]
        assert old is None or saved[sku][1:] == old[1][1:]


def _rule_created(books: Books, command: Plain, event: Plain, _request: object) -> None:
    is_new = event[0] != NOTHING
    assert is_new != (command[1] in books.rules)
    rule = event[1] if is_new else books.rules[command[1]]
    assert rule[1:3] == command[1:3]


def _rule_updated(books: Books, command: Plain, event: Plain, _request: object) -> None:
    # The workload updates the fixed quantity.
    _, name, fields, names, _, _ = command
    assert names == ["fixed_quantity"]
    old = books.rules[name]
    rule = old if event[0] == NOTHING else event[1]
    assert rule[1] == name
    assert rule[2] == [*old[2][:8], fields[8], *old[2][9:]]


def _rule_deleted(books: Books, command: Plain, event: Plain, _request: object) -> None:
    assert event[1] == command[1]
    assert command[1] in books.rules


_VERDICTS: dict[str, tuple[int, Verdict]] = {
    "CreateLocation": (1, _location_created),
    "UpdateLocation": (1, _location_updated),
    "SetLocationState": (1, _location_state_set),
    "CreateLocationGroup": (2, _group_created),
    "UpdateLocationGroup": (2, _group_updated),
    "DeleteLocationGroup": (3, _group_deleted),
    "CreateProducts": (4, _products_created),
    "UpdateProducts": (4, _products_updated),
    "CreateSafetyStockRule": (5, _rule_created),
    "UpdateSafetyStockRule": (5, _rule_updated),
    "DeleteSafetyStockRule": (6, _rule_deleted),
    "UpdateStock": (7, _stock_updated),
    "ApplyStockBatch": (8, _batch_applied),
    "ReserveStock": (10, hold_verdicts.reserved),
    "UpdateReservation": (11, hold_verdicts.changed),
    "MoveReservation": (11, hold_verdicts.moved),
    "ConfirmReservation": (12, hold_verdicts.confirmed),
    "ReleaseReservation": (13, hold_verdicts.released),
    "SettleReservation": (15, hold_verdicts.settled),
    "PlaceOrder": (26, order_verdicts.placed),
    "HoldQuote": (28, quote_verdicts.quote_held),
    "EditOrder": (27, order_verdicts.edited),
    "CancelOrder": (27, order_verdicts.cut),
    "HoldOrder": (27, order_verdicts.held),
    "ReleaseOrder": (27, order_verdicts.held),
    "AdvanceFulfillmentOrder": (27, order_verdicts.advanced),
    "ApplyReplan": (36, order_replans.applied),
    "SaveRateCard": (19, routing_verdicts.saved),
    "SaveLane": (20, routing_verdicts.saved),
    "SaveLocationCalendar": (21, routing_verdicts.saved),
    "DeleteRateCard": (22, routing_verdicts.deleted),
    "DeleteLane": (22, routing_verdicts.deleted),
    "DeleteLocationCalendar": (22, routing_verdicts.deleted),
    "CreateRuleSet": (23, routing_verdicts.rule_set_created),
    "ValidateRuleSet": (24, routing_verdicts.rule_set_validated),
    "DryRunRuleSet": (24, routing_verdicts.rule_set_tried),
    "ActivateRuleSet": (24, routing_verdicts.rule_set_activated),
}
