"""Verdicts on refusals about orders and routing: whether the naive model has the reason."""

from collections.abc import Callable

from tests.simulation.books import EXPIRED, HELD, LINES, STATE, Books, Plain
from tests.simulation.figures import available
from tests.simulation.impossible_orders import is_hopeless, is_unsupported
from tests.simulation.order_books import (
    ADDRESS,
    AT_STORE,
    BY_CURBSIDE,
    BY_PICKUP,
    CANCELLED_UNITS,
    CHANNEL,
    COLLECTED,
    COMPLETE,
    HOLDS,
    LEFT,
    LINE,
    LINE_SKU,
    METHOD,
    ORDER_LINES,
    ORDER_REVISION,
    ORDERED,
    SCOPE,
    STORE,
    TERMS,
    TO_STORE,
    WORK,
    WORK_LINES,
    WORK_METHOD,
    WORK_PLACE,
    WORKS,
    unreleased,
    unsourced,
)
from tests.simulation.order_figures import (
    cancelled_units,
    fingerprint,
    hold_of,
    is_hold_other,
    is_legal,
    is_over,
    is_quote_over,
    lines_of,
)
from tests.simulation.plan_figures import (
    Asked,
    could_be_filled,
    declined,
    is_plain,
    is_reachable,
    is_scope_gone,
    may_fulfil,
    offered,
    policy_of,
)
from tests.simulation.routing_books import DRAFT, REFUSE, RULE_SET_STATE
from tests.simulation.routing_verdicts import (
    is_draft_contradictory,
    is_draft_invalid,
    is_missing,
    key_of,
    kind_of,
    table_of,
)

GIVEN_STATE = 3
ORDER_COMMANDS = (
    "EditOrder",
    "CancelOrder",
    "HoldOrder",
    "ReleaseOrder",
    "AdvanceFulfillmentOrder",
)
NEW_COMMANDS = ("PlaceOrder", "HoldQuote")
ROUTING_COMMANDS = (
    "SaveRateCard",
    "DeleteRateCard",
    "SaveLane",
    "DeleteLane",
    "SaveLocationCalendar",
    "DeleteLocationCalendar",
)
RULE_SET_COMMANDS = ("ValidateRuleSet", "DryRunRuleSet", "ActivateRuleSet")
_JUDGED_HERE = frozenset((*ORDER_COMMANDS, *NEW_COMMANDS, *ROUTING_COMMANDS, *RULE_SET_COMMANDS))


def is_about_orders(command: Plain) -> bool:
    """Whether this module judges refusals of a command."""
    return command[0] in _JUDGED_HERE


def is_right(books: Books, command: Plain, rejection: Plain) -> bool:
    """Whether the model has the reason that a command was refused for."""
    _, reason, _, _, short_lines = rejection
    if short_lines:
        _check_alternatives(books, command, short_lines)
    return _REASONS[reason](books, command)


def _check_alternatives(books: Books, command: Plain, short_lines: Plain) -> None:
    terms = _terms(books, command)
    methods = {line[METHOD] for line in lines_of(books, command)}
    if command[0] == "HoldQuote":
        methods |= {method for method, _ in command[5]}
    for sku, _, asked, free, alternatives in short_lines:
        assert free < asked, "refused although enough is there"
        for other_sku, name, units in alternatives:
            assert other_sku == sku, "another SKU is offered"
            most = max(
                available(books, (sku, name), [terms[CHANNEL], method])[1] for method in methods
            )
            assert units <= most, f"no such stock at {name}"


def _terms(books: Books, command: Plain) -> Plain:
    if command[0] in NEW_COMMANDS:
        return command[2]
    terms = [*books.orders.by_id[command[1]][TERMS]]
    if command[3] is not None:
        terms[ADDRESS] = command[3]
    return terms


# --- what is not there, or was there before


def _order_missing(books: Books, command: Plain) -> bool:
    return command[0] in ORDER_COMMANDS and command[1] not in books.orders.by_id


def _order_taken(books: Books, command: Plain) -> bool:
    return command[0] == "PlaceOrder" and books.orders.is_taken(command[3])


def _hold_taken(books: Books, command: Plain) -> bool:
    return command[0] == "HoldQuote" and command[4] in books.holds


def _hold_missing(books: Books, command: Plain) -> bool:
    return command[0] == "PlaceOrder" and _hold_named(books, command) not in ("", *books.holds)


def _hold_named(books: Books, command: Plain) -> str:
    return hold_of(books, command[5], command[4])


def _hold_expired(books: Books, command: Plain) -> bool:
    return bool(
        command[0] == "PlaceOrder" and books.holds[_hold_named(books, command)][STATE] == EXPIRED
    )


def _state_wrong(books: Books, command: Plain) -> bool:
    if command[0] == "PlaceOrder":
        return books.holds[_hold_named(books, command)][STATE] not in (HELD, EXPIRED)
    state = books.routing.rule_sets[command[1]][RULE_SET_STATE]
    return bool(command[0] != "ValidateRuleSet" and state == DRAFT)


def _line_missing(books: Books, command: Plain) -> bool:
    known = {line[LINE] for line in books.orders.by_id[command[1]][ORDER_LINES]}
    if command[0] == "EditOrder":
        return any(not line[LINE_SKU] and line[LINE] not in known for line in command[2])
    return any(line_id not in known for line_id, _ in command[2])


def _work_missing(books: Books, command: Plain) -> bool:
    return all(work[WORK] != command[2] for work in books.orders.by_id[command[1]][WORKS])


def _location_missing(books: Books, command: Plain) -> bool:
    if command[0] == "SaveLocationCalendar":
        return bool(command[1][0]) and command[1][0] not in books.locations
    named = [line[STORE] for line in lines_of(books, command)]
    if command[0] == "HoldQuote":
        named += [store for _, store in command[5]]
    scope = _terms(books, command)[SCOPE]
    if scope is not None and scope[0] == 2:
        named += scope[1]
    return any(name and name not in books.locations for name in named)


def _group_missing(books: Books, command: Plain) -> bool:
    # Work can be given back all the same.
    is_step = command[0] == "AdvanceFulfillmentOrder"
    return not is_step and is_scope_gone(books, _terms(books, command)[SCOPE])


def _sku_missing(books: Books, command: Plain) -> bool:
    known = {*books.products, *(sku for sku, _ in books.positions)}
    return any(line[LINE_SKU] not in known for line in lines_of(books, command))


def _rule_set_missing(books: Books, command: Plain) -> bool:
    return command[1] not in books.routing.rule_sets


def _is_etag_old(books: Books, command: Plain) -> bool:
    etag = command[-1]
    if command[0] in ORDER_COMMANDS:
        return bool(etag) and etag != str(books.orders.by_id[command[1]][ORDER_REVISION])
    found = table_of(books, kind_of(command)).get(key_of(command))
    return bool(etag) and (found is None or etag != str(found[-1]))


# --- what cannot be planned


def _is_short(books: Books, command: Plain) -> bool:
    if command[0] == "HoldQuote":
        # By other methods than the lines name it may be short where they are not.
        asked = Asked(command[2], command[1])
        return bool(command[5]) or not could_be_filled(books, asked)
    terms = _terms(books, command)
    if policy_of(books, terms) != REFUSE:
        return False
    if command[0] == "EditOrder":
        return not _could_be_edited(books, command)
    return not could_be_filled(books, Asked(terms, command[1], _own(books, command)))


def _own(books: Books, command: Plain) -> dict[tuple[str, str], int]:
    name = _hold_named(books, command)
    held = books.holds[name][LINES] if name else []
    return {(line[0], line[1]): line[2] for line in held}


def _could_be_edited(books: Books, command: Plain) -> bool:
    # Whatever the edit frees: with all units of the order wanted anew there is enough.
    left_out = declined(books, books.orders.by_id[command[1]])
    asked = Asked(_terms(books, command), lines_of(books, command), excluded=left_out)
    return could_be_filled(books, asked)


def _is_nobody_there(books: Books, command: Plain) -> bool:
    if command[0] != "HoldQuote":
        lines, point = lines_of(books, command), _terms(books, command)[ADDRESS][0]
        is_nowhere = point is None and any(line[METHOD] not in AT_STORE for line in lines)
        return is_nowhere or is_hopeless(books, _terms(books, command), lines)
    _, lines, terms, _, _, methods = command
    asked = Asked(terms, lines)
    is_partial = policy_of(books, terms) != REFUSE and is_plain(books, asked)
    if is_hopeless(books, terms, lines):
        return True
    return bool(methods) or not (is_partial and any(offered(books, asked, line) for line in lines))


def _is_quote_other(_books: Books, command: Plain) -> bool:
    return command[4] is not None and command[4][0] != fingerprint(command[1], command[2])


def _is_quote_outdated(books: Books, command: Plain) -> bool:
    if command[4] is None:
        return False
    lines = {line[LINE]: line for line in command[1]}
    asked = Asked(command[2], command[1], _own(books, command))
    if not is_plain(books, asked):
        return True
    if policy_of(books, command[2]) != REFUSE and command[2][COMPLETE]:
        return True
    packages = command[4][2]
    left = {name: line[ORDERED] for name, line in lines.items()}
    taken: dict[tuple[str, str], int] = {}
    for name, method, _, shares in packages:
        for line_id, units in shares:
            line = lines.get(line_id)
            if line is None or line[METHOD] != method:
                return True
            left[line_id] -= units
            place = (line[LINE_SKU], name)
            taken[place] = taken.get(place, 0) + units
            both = available(
                books, place, [command[2][CHANNEL], method], own=asked.own.get(place, 0)
            )
            can = may_fulfil(books, asked, line, name) and is_reachable(
                books, command[2], line, name
            )
            # A package of stock and supply of one place cannot be split in two.
            if not can or taken[place] > both[0]:
                return True
    return any(left.values()) if policy_of(books, command[2]) == REFUSE else min(left.values()) < 0


# --- what cannot be changed


def _is_line_begun(books: Books, command: Plain) -> bool:
    old = books.orders.by_id[command[1]]
    free, spare = unreleased(old), unsourced(old)
    if command[0] == "CancelOrder":
        asked = cancelled_units(old, command[2])
        if not command[2]:
            return not any(asked.values()) and any(
                line[ORDERED] > line[CANCELLED_UNITS] for line in old[ORDER_LINES]
            )
        known = {line[LINE] for line in old[ORDER_LINES]}
        return any(
            units > spare[name] + free[name] for name, units in asked.items() if name in known
        )
    after = {line[LINE]: line for line in lines_of(books, command)}
    for line in old[ORDER_LINES]:
        new = after.get(line[LINE])
        loose = spare[line[LINE]] + free[line[LINE]]
        is_moved = command[3] is not None and line[METHOD] not in AT_STORE
        if new is None or is_moved or new[METHOD : STORE + 1] != line[METHOD : STORE + 1]:
            if loose + line[CANCELLED_UNITS] < line[ORDERED]:
                return True
        elif line[ORDERED] - new[ORDERED] > loose:
            return True
    return False


def _is_sku_other(books: Books, command: Plain) -> bool:
    if command[0] != "EditOrder":
        return False
    skus = {line[LINE]: line[LINE_SKU] for line in books.orders.by_id[command[1]][ORDER_LINES]}
    return any(line[LINE_SKU] not in ("", skus.get(line[LINE], "")) for line in command[2])


def _is_emptied(books: Books, command: Plain) -> bool:
    return command[0] == "EditOrder" and not any(
        line[ORDERED] > line[CANCELLED_UNITS] for line in lines_of(books, command)
    )


def _is_cancelled_too_far(books: Books, command: Plain) -> bool:
    old = books.orders.by_id[command[1]]
    asked = cancelled_units(old, command[2])
    return command[0] == "CancelOrder" and any(
        asked[line[LINE]] > line[ORDERED] - line[CANCELLED_UNITS] for line in old[ORDER_LINES]
    )


def _is_on_hold(books: Books, command: Plain) -> bool:
    is_release = command[0] == "AdvanceFulfillmentOrder" and command[3] == GIVEN_STATE
    return is_release and bool(books.orders.by_id[command[1]][HOLDS])


def _is_step_illegal(books: Books, command: Plain) -> bool:
    return not is_legal(_work(books, command), command[3])


def _is_too_little_there(books: Books, command: Plain) -> bool:
    work = _work(books, command)
    method, state = work[WORK_METHOD], command[3]
    is_leaving = (state == LEFT and method not in (BY_PICKUP, BY_CURBSIDE)) or (
        state == COLLECTED and method != TO_STORE
    )
    wanted: dict[str, int] = {}
    for _, sku, units, _ in work[WORK_LINES]:
        wanted[sku] = wanted.get(sku, 0) + units
    return is_leaving and any(
        books.positions[sku, work[WORK_PLACE]][0] < units for sku, units in wanted.items()
    )


def _work(books: Books, command: Plain) -> Plain:
    works = books.orders.by_id[command[1]][WORKS]
    return next(work for work in works if work[WORK] == command[2])


_REASONS: dict[str, Callable[[Books, Plain], bool]] = {
    "ORDER_NOT_FOUND": _order_missing,
    "ORDER_ID_TAKEN": _order_taken,
    "RESERVATION_ID_TAKEN": _hold_taken,
    "RESERVATION_NOT_FOUND": _hold_missing,
    "RESERVATION_EXPIRED": _hold_expired,
    "RESERVATION_MISMATCH": is_hold_other,
    "ILLEGAL_TRANSITION": _state_wrong,
    "ORDER_LINE_NOT_FOUND": _line_missing,
    "FULFILLMENT_ORDER_NOT_FOUND": _work_missing,
    "LOCATION_NOT_FOUND": _location_missing,
    "GROUP_NOT_FOUND": _group_missing,
    "RATE_CARD_NOT_FOUND": is_missing,
    "LANE_NOT_FOUND": is_missing,
    "CALENDAR_NOT_FOUND": is_missing,
    "SKU_NOT_FOUND": _sku_missing,
    "RULE_SET_NOT_FOUND": _rule_set_missing,
    "ETAG_MISMATCH": _is_etag_old,
    "INSUFFICIENT_STOCK": _is_short,
    "NO_CANDIDATE": _is_nobody_there,
    "DELIVERY_METHOD_UNSUPPORTED": is_unsupported,
    "QUOTE_EXPIRED": is_quote_over,
    "QUOTE_MISMATCH": _is_quote_other,
    "QUOTE_OUTDATED": _is_quote_outdated,
    "LINE_RELEASED": _is_line_begun,
    "LINE_SKU_FIXED": _is_sku_other,
    "ORDER_WOULD_BE_EMPTY": _is_emptied,
    "ORDER_FINISHED": is_over,
    "CANCELLATION_TOO_LARGE": _is_cancelled_too_far,
    "ORDER_ON_HOLD": _is_on_hold,
    "ILLEGAL_STEP": _is_step_illegal,
    "QUANTITY_BELOW_ZERO": _is_too_little_there,
    "RULE_SET_INVALID": is_draft_invalid,
    "RULE_SET_CONTRADICTORY": is_draft_contradictory,
}
"""What the workload can be refused for; another reason is a KeyError, which fails the run."""
