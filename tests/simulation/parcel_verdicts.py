"""Verdicts on parcels: each has one host, and where that goes its first guest takes its place."""

from tests.simulation.books import CHANGED, PLACED, REPLANNED, Books, Plain
from tests.simulation.order_books import (
    ADDRESS,
    ATTENTION,
    CANCELLED,
    CUSTOMER,
    HISTORY,
    ORDER,
    ORDER_REVISION,
    ORDER_UPDATED,
    PACKAGE_COST,
    PARCEL,
    TERMS,
    UNRELEASED,
    WORK,
    WORK_DAY,
    WORK_LINES,
    WORK_METHOD,
    WORK_PLACE,
    WORK_STATE,
    WORKS,
    is_claim,
)
from tests.simulation.order_checks import HISTORY_MAX

REPLANNED_STEP = 7
Orders = dict[str, Plain]


def check_guests(books: Books, changed: list[Plain], guests: list[Plain], client: str) -> None:
    """Object where guests of a host that goes are not told, or not those, or others are.

    `changed` are the orders that a request or a timer changes, `guests` what changes with them.
    """
    after = {order[ORDER]: order for order in changed}
    heirs: dict[str, str] = {}
    """By work that was a guest of such a host: the parcel that it must be in."""
    for order in changed:
        for host in books.orders.by_id[order[ORDER]][WORKS]:
            left = _left_behind(books, after, host)
            for work_id in left:
                heirs[work_id] = "" if work_id == left[0] else left[0]
    _check_parcels(books, changed, heirs)
    expected = {books.orders.order_of(work_id) for work_id in heirs} - after.keys()
    told = [order[ORDER] for order in guests]
    assert sorted(told) == sorted(expected), f"{told} changed as guests, not {expected}"
    for order in guests:
        old = books.orders.by_id[order[ORDER]]
        _check_parcels(books, [order], heirs)
        assert order == _one_step_on(books, old, order, client), f"{old} became {order}"


def check_parcels(books: Books, event: Plain) -> None:
    """Object where the orders of an event lie in no right parcel once it is applied."""
    orders: list[Plain] = []
    if event[0] in (PLACED, CHANGED):
        orders = [event[1], *(event[4] if event[0] == CHANGED else [])]
    elif event[0] == REPLANNED:
        orders = [change[1] for change in event[1]]
    for order in orders:
        if order[ORDER] in books.orders.by_id:
            check_way(books, order)


def is_guest(order: Plain) -> bool:
    """Whether an order says that it changed as that of a guest."""
    detail = order[HISTORY][-1][4]
    return " joins " in detail or detail.endswith(" has the parcel")


def check_way(books: Books, order: Plain) -> None:
    """Object where work that nobody has begun is in the parcel of nobody, or of a stranger."""
    for work in order[WORKS]:
        if not work[PARCEL] or not is_claim(work):
            continue
        host_order, host = books.orders.find(work[PARCEL])
        if host is None or not is_claim(host):
            is_gone = host_order is not None and (host is None or host[WORK_STATE] == CANCELLED)
            is_open = work[WORK_STATE] in UNRELEASED
            assert not is_gone, f"{work} is in a parcel that is gone"
            assert not is_open, f"{work} is in a parcel that has left"
            continue
        assert not host[PARCEL], f"{work} is a guest of the guest {host}"
        for field in (WORK_PLACE, WORK_METHOD, WORK_DAY):
            assert host[field] == work[field], f"{work} goes another way than {host}"
        for field in (CUSTOMER, ADDRESS):
            assert host_order[TERMS][field] == order[TERMS][field], f"{work} is of a stranger"


def _left_behind(books: Books, after: Orders, host: Plain) -> list[str]:
    new = _works(after[books.orders.order_of(host[WORK])]).get(host[WORK])
    if new is not None and is_claim(new):
        return []
    has_left = new is not None and new[WORK_STATE] != CANCELLED
    left = []
    for work_id in sorted(books.orders.guests.get(host[WORK], ())):
        name = books.orders.order_of(work_id)
        work = _works(after.get(name, books.orders.by_id[name])).get(work_id)
        if work is None or not is_claim(work):
            continue
        if not has_left or work[WORK_STATE] in UNRELEASED:
            left.append(work_id)
    return left


def _check_parcels(books: Books, orders: list[Plain], heirs: dict[str, str]) -> None:
    for order in orders:
        before = _works(books.orders.by_id[order[ORDER]])
        for work in order[WORKS]:
            was = before.get(work[WORK])
            if was is None:
                continue
            parcel = heirs.get(work[WORK], was[PARCEL])
            assert work[PARCEL] == parcel, f"{work} is not in the parcel {parcel!r}"
            _check_cost(was, work, has_it_now=bool(was[PARCEL] and not parcel))


def _check_cost(was: Plain, work: Plain, *, has_it_now: bool) -> None:
    # A parcel is paid by who has it, and by weight: for what joins it, and less for what leaves it.
    more = work[PACKAGE_COST] - was[PACKAGE_COST]
    before = {line[0]: line[2] for line in was[WORK_LINES]}
    after = {line[0]: line[2] for line in work[WORK_LINES]}
    may_rise = has_it_now or any(units > before.get(key, 0) for key, units in after.items())
    may_fall = any(units > after.get(key, 0) for key, units in before.items())
    assert more <= 0 or may_rise, f"{was} costs {more} more"
    assert more >= 0 or may_fall, f"{was} costs {-more} less"
    assert work[PACKAGE_COST] >= 0, f"{work} costs less than nothing"


def _one_step_on(books: Books, old: Plain, order: Plain, client: str) -> Plain:
    details = [
        f"{new[WORK]} joins {new[PARCEL]}" if new[PARCEL] else f"{new[WORK]} has the parcel"
        for was, new in zip(old[WORKS], order[WORKS], strict=True)
        if was[PARCEL] != new[PARCEL]
    ]
    step = [books.revision, books.time_ms, REPLANNED_STEP, client, ", ".join(details)]
    steps = [*old[HISTORY], step]
    new = [*old]
    new[WORKS] = [_placed(was, work) for was, work in zip(old[WORKS], order[WORKS], strict=True)]
    new[HISTORY] = [*steps[:1], *steps[1:][-HISTORY_MAX:]]
    new[ATTENTION] = old[ATTENTION]
    new[ORDER_UPDATED], new[ORDER_REVISION] = books.time_ms, books.revision
    return new


def _placed(was: Plain, work: Plain) -> Plain:
    # What `_check_parcels` looks at may differ.
    same = [*was]
    same[PARCEL], same[PACKAGE_COST] = work[PARCEL], work[PACKAGE_COST]
    return same


def _works(order: Plain) -> Orders:
    return {work[WORK]: work for work in order[WORKS]}
