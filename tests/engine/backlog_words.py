"""Words for tests of searches of the backlog: what one finds, and what orders cost."""

from collections.abc import Iterator

from domgrpc.core.dispatch import Command
from domgrpc.core.open_costs import moved_packages
from domgrpc.core.open_legs import OpenOrder
from domgrpc.core.open_work import open_order, open_order_ids, shared_stock
from domgrpc.core.order_commands import OrderMove
from domgrpc.core.orders import Order, is_unreleased
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.replan_proposals import BacklogQuestion, Staying
from domgrpc.core.values import LocationType, Sku
from domgrpc.engine.backlog_search import SearchAnswer, SearchJob, search
from tests.core.given import Shop
from tests.core.logistics_words import card, rate
from tests.core.order_words import BOSTON, CHICAGO, DALLAS

DC = LocationType.DISTRIBUTION_CENTER
SITES = {"chi": CHICAGO, "dal": DALLAS, "bos": BOSTON}
NEW_YORK = (40.75, -73.99)


def reasons(shop: Shop, question: BacklogQuestion) -> list[Staying]:
    """Return why work stays that a question is about."""
    return Found(shop, question, 0).reasons


class Found:
    """What a search of all open work found."""

    def __init__(self, shop: Shop, question: BacklogQuestion, stability: int) -> None:
        planner, now_ms = shop.state.planner, shop.now_ms
        found = [
            open_order(planner, name, question, now_ms)
            for name in open_order_ids(planner, question)
        ]
        every = [each for each in found if each is not None]
        self.reasons = [reason for each in every for reason in each.reasons]
        self.orders = [each for each in every if each.legs]
        self.stock = shared_stock(planner, self.orders, now_ms)
        self.answer = SearchAnswer((), (), (), 0, ())
        self.names = [each.location_id for each in shop.state.network.locations.by_index]
        if self.orders:
            stock = {sku: units.tobytes() for sku, units in self.stock.items()}
            self.answer = search(
                SearchJob(len(self.names), tuple(self.orders), stock, stability, 5_000)
            )

    def moves(self) -> Iterator[tuple[OpenOrder, OrderMove]]:
        """Yield the orders that change, and how."""
        places = iter(self.answer.places)
        for each in self.orders:
            own = [next(places) for _ in each.legs]
            if any(own):
                packages = moved_packages(each, own, self.names)
                yield each, OrderMove(each.order_id, each.revision, packages)


def searched(shop: Shop, *, stability: int = 0, allow_late: bool = True) -> Found:
    return Found(shop, BacklogQuestion(allow_late=allow_late), stability)


def open_cost(placed: Order) -> int:
    """Return what the open work of an order costs, as GetOrder shows it."""
    return sum(
        work.package_cost_micros + work.units_cost_micros + work.price_micros
        for work in placed.fulfillment_orders
        if is_unreleased(work)
    )


def by_weight(*steps: tuple[int, int]) -> Command:
    """Save the only card: the farther, the dearer, and each zone in steps of weight."""
    return card(
        "ground",
        tuple(
            rate(zone, 1_000_000 * zone, steps=tuple((g, m * zone) for g, m in steps))
            for zone in range(1, 9)
        ),
    )


def weighing(**grams: int) -> CreateProducts:
    return CreateProducts(
        products=tuple((Sku(sku), ProductFields(weight_grams=each)) for sku, each in grams.items())
    )
