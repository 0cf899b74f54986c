"""Verdicts on refusals: whether the naive model has the reason that a request was refused for."""

from collections.abc import Callable

from tests.simulation import order_refusals
from tests.simulation.books import (
    CONFIRMED,
    DEMAND,
    EXPIRED,
    LINES,
    RELEASED,
    REVISION,
    STATE,
    Books,
    Plain,
)
from tests.simulation.figures import Draft, available, exclusion
from tests.simulation.hold_verdicts import deadline_ms, members, revivable, summed

TTL_MS_MIN, TTL_MS_MAX = 1_000, 30 * 86_400_000
SHIPPED = 1
HOLD_COMMANDS = (
    "UpdateReservation",
    "MoveReservation",
    "ConfirmReservation",
    "ReleaseReservation",
    "SettleReservation",
)


def refused(books: Books, command: Plain, rejection: Plain) -> None:
    """Judge a refusal."""
    _, reason, _, _, short_lines = rejection
    if order_refusals.is_about_orders(command):
        assert order_refusals.is_right(books, command, rejection), (
            f"{command} was refused for {reason}, and that is not so"
        )
        return
    for _, _, asked, free, alternatives in short_lines:
        assert free < asked, "refused although enough is there"
        for sku, other, units in alternatives:
            demand = _demand_of(books, command)
            assert units <= available(books, (sku, other), demand)[1], "no such stock there"
    is_right = _REASONS[reason](books, command)
    assert is_right, f"{command} was refused for {reason}, and that is not so"


def _demand_of(books: Books, command: Plain) -> Plain:
    return command[3] if command[0] == "ReserveStock" else books.holds[command[1]][DEMAND]


# --- holds


def _hold_missing(books: Books, command: Plain) -> bool:
    return command[0] in HOLD_COMMANDS and command[1] not in books.holds


def _hold_taken(books: Books, command: Plain) -> bool:
    return command[0] == "ReserveStock" and command[2] in books.holds


def _is_state_wrong(books: Books, command: Plain) -> bool:
    state = books.holds[command[1]][STATE]
    match command[0]:
        case "ConfirmReservation":
            return bool(state == RELEASED)
        case "ReleaseReservation":
            return bool(state == CONFIRMED)
        case "SettleReservation":
            return bool(state != CONFIRMED)
        case _:
            return state in (CONFIRMED, RELEASED)


def _has_expired(books: Books, command: Plain) -> bool:
    state = books.holds[command[1]][STATE]
    return bool(state == EXPIRED) and command[0] in HOLD_COMMANDS[:3]


def _is_line_missing(books: Books, command: Plain) -> bool:
    _, name, sku, source, _, units, *_ = command
    held = {(line[0], line[1]): line[2] for line in books.holds[name][LINES]}
    return (sku, source) not in held or units > held[sku, source]


def _is_emptied(_books: Books, command: Plain) -> bool:
    if command[0] != "UpdateReservation":
        return False
    # Where so many of a SKU are asked in all, that counts, whatever is asked at places.
    located, anywhere = summed(command[2])
    asked = [units for place, units in located.items() if place[0] not in anywhere]
    return not any(asked) and not any(anywhere.values())


def _is_settled_too_far(books: Books, command: Plain) -> bool:
    hold = books.holds[command[1]]
    left = {(line[0], line[1]): line[2] - line[4] for line in hold[LINES]}
    wanted = summed(command[3])[0]
    return any(units > left.get(place, 0) for place, units in wanted.items())


def _is_ttl_wrong(books: Books, command: Plain) -> bool:
    expiration = command[4] if command[0] == "ReserveStock" else command[3]
    return not TTL_MS_MIN <= deadline_ms(books, expiration) - books.time_ms <= TTL_MS_MAX


def _is_short(books: Books, command: Plain) -> bool:
    match command[0]:
        case "ReserveStock":
            return _is_new_hold_short(books, command)
        case "UpdateReservation":
            return _is_change_short(books, command)
        case "MoveReservation":
            return _is_move_short(books, command)
    hold = books.holds[command[1]]
    return any(line[2] > revivable(books, line, hold[DEMAND]) for line in hold[LINES])


def _is_new_hold_short(books: Books, command: Plain) -> bool:
    _, lines, _, demand, _, scope, location_count_max, _, in_stock_only, _ = command
    located, anywhere = summed(lines)
    kind = 0 if in_stock_only else 1
    free = {place: available(books, place, demand)[kind] for place in located}
    if any(units > free[place] for place, units in located.items()):
        return True
    # With few locations allowed, all the stock there is may be spread too thin.
    return any(
        location_count_max
        or units
        > sum(
            max(0, available(books, (sku, name), demand)[kind] - located.get((sku, name), 0))
            for name in members(books, scope)
        )
        for sku, units in anywhere.items()
    )


def _is_change_short(books: Books, command: Plain) -> bool:
    _, name, lines, _, _, in_stock_only, _ = command
    hold = books.holds[name]
    kind = 0 if in_stock_only else 1
    held = {(line[0], line[1]): line[2] for line in hold[LINES]}
    located, anywhere = summed(lines)

    def room(sku: str, location: str) -> int:
        own = int(held.get((sku, location), 0))
        return max(own, available(books, (sku, location), hold[DEMAND], own=own)[kind])

    if any(units > room(*place) for place, units in located.items()):
        return True
    # Named lines of the same SKU bind units elsewhere: then less can be found than there is.
    return any(
        any(place[0] == sku for place in located)
        or units > sum(room(sku, location) for location in _places(books, command, sku))
        or _has_held_outside(books, command, sku)
        for sku, units in anywhere.items()
    )


def _places(books: Books, command: Plain, sku: str) -> list[str]:
    lines = books.holds[command[1]][LINES]
    held = [line[1] for line in lines if line[0] == sku]
    return list(dict.fromkeys([*members(books, command[4]), *held]))


def _has_held_outside(books: Books, command: Plain, sku: str) -> bool:
    # What is held outside the scope stays, and grows nowhere.
    inside = members(books, command[4])
    lines = books.holds[command[1]][LINES]
    return any(line[0] == sku and line[1] not in inside for line in lines)


def _is_move_short(books: Books, command: Plain) -> bool:
    _, name, sku, source, target, units, scope, in_stock_only, _ = command
    hold = books.holds[name]
    held = {(line[0], line[1]): line[2] for line in hold[LINES]}
    units = units or held[sku, source]
    kind = 0 if in_stock_only else 1
    targets = [target] if target else [name for name in members(books, scope) if name != source]
    room = 0
    for location in targets:
        own = held.get((sku, location), 0)
        free = available(books, (sku, location), hold[DEMAND], own=own)[kind]
        room += max(0, free - own)
    return bool(units > room)


def _is_place_excluded(reason: str) -> Callable[[Books, Plain], bool]:
    def is_excluded(books: Books, command: Plain) -> bool:
        demand = _demand_of(books, command)
        if command[0] == "MoveReservation":
            return exclusion(books, command[4], demand) == reason
        lines = command[1] if command[0] == "ReserveStock" else command[2]
        return any(line[1] and exclusion(books, line[1], demand) == reason for line in lines)

    return is_excluded


# --- stock


def _is_stock_refused(reason: str) -> Callable[[Books, Plain], bool]:
    def is_refused(books: Books, command: Plain) -> bool:
        if command[0] == "SettleReservation":
            return _is_too_little_to_ship(books, command)
        draft = Draft(books)
        found = (draft.apply(update) for update in command[1])
        return next((each for each in found if each), "") == reason

    return is_refused


def _is_too_little_to_ship(books: Books, command: Plain) -> bool:
    hold = books.holds[command[1]]
    left = {(line[0], line[1]): line[2] - line[4] for line in hold[LINES]}
    wanted = summed(command[3])[0] or left
    return command[2] == SHIPPED and any(
        units > books.positions[place][0] for place, units in wanted.items()
    )


# --- places, products, rules


def _is_location_missing(books: Books, command: Plain) -> bool:
    match command[0]:
        case "UpdateLocation" | "SetLocationState":
            return command[1] not in books.locations
        case "CreateLocationGroup" | "UpdateLocationGroup":
            return any(name not in books.locations for name in command[3])
        case "UpdateStock":
            return _is_stock_refused("LOCATION_NOT_FOUND")(books, command)
        case "MoveReservation":
            named = [command[4]]
        case "ReserveStock":
            named = [line[1] for line in command[1]]
        case _:
            named = [line[1] for line in command[2]]
    if _is_scope_used(command) and _scope_of(command) is not None and _scope_of(command)[0] == 2:
        named.extend(_scope_of(command)[1])
    return any(name and name not in books.locations for name in named)


def _is_group_missing(books: Books, command: Plain) -> bool:
    if command[0] in ("UpdateLocationGroup", "DeleteLocationGroup"):
        return command[1] not in books.groups
    scope = _scope_of(command)
    return _is_scope_used(command) and any(name not in books.groups for name in scope[1])


def _scope_of(command: Plain) -> Plain:
    places = {"ReserveStock": 5, "UpdateReservation": 4, "MoveReservation": 6}
    return command[places[command[0]]]


def _is_scope_used(command: Plain) -> bool:
    # Only what is to be found somewhere looks at the scope of a new hold or a move.
    match command[0]:
        case "ReserveStock":
            return any(not line[1] for line in command[1])
        case "MoveReservation":
            return not command[4]
        case _:
            return True


def _is_etag_old(books: Books, command: Plain) -> bool:
    if command[0] in HOLD_COMMANDS:
        revision = books.holds[command[1]][REVISION]
    elif command[0] in ("UpdateLocation", "SetLocationState"):
        revision = books.locations[command[1]][-1]
    elif command[0] in ("UpdateLocationGroup", "DeleteLocationGroup"):
        revision = books.groups[command[1]][-1]
    else:
        revision = books.rules[command[1]][-1]
    etags = {"UpdateLocation": 3, "UpdateLocationGroup": 4, "UpdateSafetyStockRule": 4}
    etag = command[etags.get(command[0], -1)]
    return bool(etag) and etag != str(revision)


def _location_taken(books: Books, command: Plain) -> bool:
    return command[0] == "CreateLocation" and command[1] in books.locations


def _group_taken(books: Books, command: Plain) -> bool:
    return command[0] == "CreateLocationGroup" and command[1] in books.groups


def _rule_taken(books: Books, command: Plain) -> bool:
    return command[0] == "CreateSafetyStockRule" and command[1] in books.rules


def _rule_missing(books: Books, command: Plain) -> bool:
    return command[0].endswith("SafetyStockRule") and command[1] not in books.rules


def _product_taken(books: Books, command: Plain) -> bool:
    return command[0] == "CreateProducts" and any(
        sku in books.products and books.products[sku][1] != fields for sku, fields in command[1]
    )


_REASONS: dict[str, Callable[[Books, Plain], bool]] = {
    "RESERVATION_NOT_FOUND": _hold_missing,
    "RESERVATION_ID_TAKEN": _hold_taken,
    "RESERVATION_EXPIRED": _has_expired,
    "ILLEGAL_TRANSITION": _is_state_wrong,
    "RESERVATION_LINE_NOT_FOUND": _is_line_missing,
    "MOVE_TOO_LARGE": _is_line_missing,
    "RESERVATION_WOULD_BE_EMPTY": _is_emptied,
    "SETTLEMENT_TOO_LARGE": _is_settled_too_far,
    "TTL_OUT_OF_RANGE": _is_ttl_wrong,
    "INSUFFICIENT_STOCK": _is_short,
    "LOCATION_DISABLED": _is_place_excluded("LOCATION_DISABLED"),
    "DELIVERY_METHOD_UNSUPPORTED": _is_place_excluded("DELIVERY_METHOD_UNSUPPORTED"),
    "QUANTITY_BELOW_ZERO": _is_stock_refused("QUANTITY_BELOW_ZERO"),
    "QUANTITY_TOO_LARGE": _is_stock_refused("QUANTITY_TOO_LARGE"),
    "COUNT_OUTDATED": _is_stock_refused("COUNT_OUTDATED"),
    "EFFECTIVE_TIME_IN_FUTURE": _is_stock_refused("EFFECTIVE_TIME_IN_FUTURE"),
    "STALE_EXPECTATION": _is_stock_refused("STALE_EXPECTATION"),
    "SUPPLY_NOT_FOUND": _is_stock_refused("SUPPLY_NOT_FOUND"),
    "LOCATION_NOT_FOUND": _is_location_missing,
    "GROUP_NOT_FOUND": _is_group_missing,
    "ETAG_MISMATCH": _is_etag_old,
    "LOCATION_ID_TAKEN": _location_taken,
    "GROUP_ID_TAKEN": _group_taken,
    "RULE_ID_TAKEN": _rule_taken,
    "RULE_NOT_FOUND": _rule_missing,
    "SKU_TAKEN": _product_taken,
}
"""What the workload can be refused for; another reason is a KeyError, which fails the run."""
