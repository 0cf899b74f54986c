"""Drafting a hold: its lines as they will be, checked unit by unit against what is available."""

import msgspec

from domgrpc.core.network import Ask, Network
from domgrpc.core.rejections import Reason, Rejected, ShortLine, counted
from domgrpc.core.reservations import LineQuantity, Reservation, ReservationLine
from domgrpc.core.scopes import EVERYWHERE, Area
from domgrpc.core.sourcing import Picking, Taken, alternatives, pick_locations
from domgrpc.core.values import NO_LOCATION, QUANTITY_MAX, LocationId, Quantity, Sku

SHORT_LINES_EXPLAINED_MAX = 100
"""So many short lines are told with where else stock is: more do not fit into an answer."""


class HoldDraft:
    """The lines of a hold as they will be, and what is short of what was asked.

    `held` are the lines that the hold has already; their units are its own.
    """

    __slots__ = ("_ask", "_held", "_in_stock_only", "_keys", "_network", "lines", "short")

    def __init__(
        self,
        network: Network,
        ask: Ask,
        held: tuple[ReservationLine, ...] = (),
        *,
        in_stock_only: bool,
    ) -> None:
        """Start from the lines that are held."""
        network.refresh(ask.time_ms)
        self._network = network
        self._ask = ask
        self._in_stock_only = in_stock_only
        self._held = {(line.sku, line.location_id): line for line in held} if held else {}
        self.lines = dict(self._held)
        # The keys of lines by SKU, made when first asked; some may be gone.
        self._keys: dict[Sku, dict[tuple[Sku, LocationId], None]] | None = None
        self.short: list[ShortLine] = []

    def set(self, sku: Sku, location_id: LocationId, quantity: int) -> None:
        """Set a line to a quantity; what exceeds ATS is noted as short, at most once a line."""
        network = self._network
        key = (sku, location_id)
        index = network.locations.index(location_id)
        own_quantity = 0
        if self._held and (own := self._held.get(key)) is not None:
            own_quantity = own.quantity
            if quantity <= own_quantity:
                self._put_less(own, quantity)
                return
        if not quantity:
            # A line that the draft itself has added is taken back.
            self.lines.pop(key, None)
            return
        if quantity > QUANTITY_MAX:
            raise Rejected(
                Reason.QUANTITY_TOO_LARGE,
                f"the lines of {sku!r} at {location_id!r} add up to {quantity}, "
                f"{QUANTITY_MAX} are allowed",
                sku=sku,
                location_id=location_id,
                quantity=quantity,
            )
        stock, slot = network.stock.locate(sku, index)
        to_fulfill, to_sell = 0, 0
        if stock is not None and slot >= 0:
            to_fulfill, to_sell = network.sellable(stock, slot, self._ask, own_quantity)
            # The state's own strings: millions of lines need not each keep a copy.
            sku = stock.sku
        location_id = network.locations.by_index[index].location_id
        if quantity <= to_fulfill:
            self._put(key, ReservationLine(sku, location_id, Quantity(quantity)))
            return
        available = to_fulfill if self._in_stock_only else to_sell
        taken = min(quantity, max(available, own_quantity))
        if taken:
            backordered = Quantity(max(0, taken - to_fulfill))
            self._put(key, ReservationLine(sku, location_id, Quantity(taken), backordered))
        if taken < quantity:
            self.note_short(LineQuantity(sku, location_id, Quantity(quantity)), available)

    def grow(self, sku: Sku, more: int, area: Area) -> int:
        """Add units where the hold has the SKU already, from stock; return what is left to add."""
        for line in sorted(self.lines_of(sku), key=lambda line: (-line.quantity, line.location_id)):
            index = self._network.locations.index(line.location_id)
            stock, slot = self._network.stock.locate(sku, index)
            if stock is None or slot < 0 or index not in area:
                continue
            to_fulfill, _ = self._network.sellable(stock, slot, self._ask, self._own(line))
            taken = max(0, min(more, to_fulfill - line.quantity))
            self.set(sku, line.location_id, line.quantity + taken)
            more -= taken
        return more

    def pick(self, needs: dict[Sku, int], picking: Picking, *, totals: bool = False) -> None:
        """Add units wherever the sourcing finds them; what is missing is noted as short.

        With `totals` the caller asked for so many more than the draft has: the shortage names
        the whole.
        """
        there = dict.fromkeys(needs, 0)
        if totals:
            there = {sku: self.quantity_of(sku) for sku in needs}
        picking = msgspec.structs.replace(picking, taken=self._taken())
        picks, missing = pick_locations(self._network, needs, picking)
        for pick in picks:
            location_id = self._network.locations.by_index[pick.index].location_id
            line = self.lines.get((pick.sku, location_id))
            before = line.quantity if line is not None else 0
            self.set(pick.sku, location_id, before + pick.quantity)
        for sku, units in missing.items():
            whole = there[sku] + needs[sku]
            self.note_short(LineQuantity(sku, NO_LOCATION, Quantity(whole)), whole - units)

    def quantity_of(self, sku: Sku) -> int:
        """Return the units of a SKU over all its lines."""
        return sum(line.quantity for line in self.lines_of(sku))

    def lines_of(self, sku: Sku) -> list[ReservationLine]:
        """Return the lines of a SKU; O(all lines) the first time, then of what it returns."""
        if self._keys is None:
            self._keys = {}
            for key in self.lines:
                self._keys.setdefault(key[0], {})[key] = None
        lines = self.lines
        return [lines[key] for key in self._keys.get(sku, ()) if key in lines]

    def note_short(self, asked: LineQuantity, available: int) -> None:
        """Note that a line is short."""
        self.short.append(
            ShortLine(asked.sku, asked.location_id, asked.quantity, Quantity(available))
        )

    def short_lines(self) -> tuple[ShortLine, ...]:
        """Return the short lines with where else their SKUs are beyond what the draft takes.

        Only the first ones are told so: each is a search through the locations of its SKU.
        """
        taken = self._taken() if self.short else {}
        told = []
        for line in self.short[:SHORT_LINES_EXPLAINED_MAX]:
            index = self._network.locations.index_of.get(line.location_id)
            elsewhere = Picking(ask=self._ask, area=EVERYWHERE, excluded=index, taken=taken)
            found = alternatives(self._network, line.sku, elsewhere)
            told.append(msgspec.structs.replace(line, alternatives=found))
        return (*told, *self.short[SHORT_LINES_EXPLAINED_MAX:])

    def _taken(self) -> Taken:
        # What the draft takes beyond what is held already.
        index_of = self._network.locations.index_of
        added = {
            (sku, index_of[location_id]): line.quantity - self._own(line)
            for (sku, location_id), line in self.lines.items()
        }
        return {key: units for key, units in added.items() if units > 0}

    def picking(self, area: Area, **options: int | None) -> Picking:
        """Return how locations are picked for this hold."""
        return Picking(
            ask=self._ask,
            area=area,
            in_stock_only=self._in_stock_only,
            **options,  # type: ignore[arg-type]
        )

    def sorted_lines(self) -> tuple[ReservationLine, ...]:
        """Return the lines by SKU and location."""
        lines = self.lines
        if len(lines) == 1:
            return tuple(lines.values())
        return tuple([lines[key] for key in sorted(lines)])

    def exclusion(self) -> Reason | None:
        """Return why the locations of all short lines are out of use, None where they are not."""
        reasons = []
        for line in self.short:
            index = self._network.locations.index_of.get(line.location_id)
            reasons.append(None if index is None else self._network.exclusion(index, self._ask))
        return reasons[0] if reasons and all(reasons) else None

    def _put(self, key: tuple[Sku, LocationId], line: ReservationLine) -> None:
        self.lines[key] = line
        if self._keys is not None:
            self._keys.setdefault(key[0], {})[key] = None

    def _own(self, line: ReservationLine) -> int:
        held = self._held.get((line.sku, line.location_id))
        return held.quantity if held is not None else 0

    def _put_less(self, own: ReservationLine, quantity: int) -> None:
        # Giving back needs no check; backordered units go first.
        key = (own.sku, own.location_id)
        if not quantity:
            self.lines.pop(key, None)
            return
        backordered = max(0, own.backordered_quantity - (own.quantity - quantity))
        self._put(
            key,
            msgspec.structs.replace(
                own, quantity=Quantity(quantity), backordered_quantity=Quantity(backordered)
            ),
        )


# --- refusals


def illegal_transition(reservation: Reservation, verb: str) -> Rejected:
    """Build the refusal of a step that the life cycle does not have."""
    return Rejected(
        Reason.ILLEGAL_TRANSITION,
        f"reservation {reservation.reservation_id!r} is {reservation.state.name} and cannot be "
        f"{verb}",
        reservation_id=reservation.reservation_id,
        state=reservation.state.name,
    )


def insufficient(short: tuple[ShortLine, ...]) -> Rejected:
    """Build the refusal that names each short line."""
    first = short[0]
    where = f" at {first.location_id!r}" if first.location_id else ""
    count = len(short) - 1
    more = f", and {counted(count, 'more line')} {'is' if count == 1 else 'are'} short"
    more = more if count else ""
    return Rejected(
        Reason.INSUFFICIENT_STOCK,
        f"{first.available_quantity} of {counted(first.asked_quantity, 'unit')} of "
        f"{first.sku!r} are available{where}{more}: ask for less, elsewhere, or allow partial",
        short_lines=short,
        sku=first.sku,
        location_id=first.location_id,
        asked_quantity=first.asked_quantity,
        available_quantity=first.available_quantity,
    )
