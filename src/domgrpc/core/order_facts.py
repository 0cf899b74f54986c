"""Order facts: what rules look at when an order is planned.

Always the whole order, without what was cancelled of it, also where only a part is planned.
"""

import msgspec

from domgrpc.core.leg_questions import Need
from domgrpc.core.order_legs import Leg, goes_with, uncancelled, value_of
from domgrpc.core.orders import OrderLine, OrderTerms
from domgrpc.core.rule_facts import LineFacts, OrderFacts
from domgrpc.core.values import Quantity, TimeMs


class Asking(msgspec.Struct, frozen=True):
    """An order that is planned, as rules see it."""

    terms: OrderTerms
    lines: tuple[OrderLine, ...]
    time_ms: TimeMs

    def order_facts(self, leg: Leg) -> OrderFacts:
        """Return the facts of the order for a leg."""
        terms, lines = self.terms, self.lines
        return OrderFacts(
            channel=terms.channel,
            customer_id=terms.customer_id,
            delivery_method=leg.delivery_method,
            value_micros=value_of(lines),
            country=terms.address.country_code,
            region=terms.address.region,
            postal_code=terms.address.postal_code,
            line_count=len(lines),
            unit_count=sum(map(uncancelled, lines)),
            time_ms=self.time_ms,
        )

    def line_facts(self, leg: Leg, needs: tuple[Need, ...]) -> list[LineFacts]:
        """Return the facts of the needs of a leg."""
        prices = {line.sku: line.unit_price_micros for line in leg.lines}
        units = dict.fromkeys(prices, 0)
        for line in self.lines:
            if line.sku in units and goes_with(line, leg):
                units[line.sku] += uncancelled(line)
        return [
            LineFacts(need.sku, Quantity(units[need.sku]), prices[need.sku], need.fields)
            for need in needs
        ]
