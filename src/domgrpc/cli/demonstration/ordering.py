"""Scenes about orders: where each is fulfilled from, why from there, and what an outage changes."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Final

from domgrpc.cli.choices import Strategy, number_of
from domgrpc.cli.demonstration.opening import CHANNEL, PICKUP, Offer
from domgrpc.cli.demonstration.retailer import DISTRIBUTION_CENTER, Place
from domgrpc.cli.demonstration.stage import PromiseBroken, Stage
from domgrpc.cli.order_watch import work_lines
from domgrpc.cli.plan_tables import contents, cost_of, location_sentence, money
from domgrpc.client import DomgrpcClient, Item, Terms, address_of, count_stock, in_groups
from domgrpc.v1.order_pb2 import FulfillmentOrder, FulfillmentState, Order, OrderChange
from domgrpc.v1.plan_pb2 import OrderStepKind, Plan
from domgrpc.v1.product_pb2 import Product
from domgrpc.v1.types_pb2 import DeliveryMethod

DRESSY: Final = "SHOE-DRESSY"
LIMITED: Final = "SHOE-LIMITED"
SHOE_ORDER: Final = "two-pairs"
_HOME: Final = DeliveryMethod.DELIVERY_METHOD_SHIP_TO_HOME
_CANCELLED: Final = FulfillmentState.FULFILLMENT_STATE_CANCELLED
_PAIRS_AT_STORE: Final = 3
_PAIRS_AT_CENTER: Final = 2
_TOMORROW: Final = timedelta(hours=48)
_FOUR_LINES: Final = 4
_UNITS_A_LINE: Final = 8
_BULK_UNITS: Final = 15
_NEWS_SECONDS_MAX: Final = 10.0


async def order_two_pairs(stage: Stage, offer: Offer) -> Order:
    """Prove that one order is collected and shipped, and that the store is told of its part."""
    stage.narration.scene("Two pairs of shoes in one order")
    store = offer.location_id
    await _stock_shoes(stage, store)
    stage.narration.say(
        f"{stage.customer} orders the dressy pair, to be collected at {stage.retailer.site(store)},"
        f" and the limited pair, of which each warehouse has {_PAIRS_AT_CENTER}, to be shipped:"
    )
    client = await stage.client("checkout")
    before = (await client.get_status()).revision
    order = await client.place_order(
        [Item(DRESSY, 1, PICKUP, store), Item(LIMITED, 1, _HOME)],
        Terms(channel=CHANNEL, customer_id="anna", address=address_of(stage.customer.zip_code)),
        order_id=SHOE_ORDER,
    )
    _show_work(stage, order)
    collected, shipped = order.fulfillment_orders
    stage.promise(
        "one order, two ways: the store and one warehouse have its work",
        expected=(store, True),
        came=(collected.location_id, _is_center(stage, shipped)),
    )
    ready = collected.deliver_by_time.ToDatetime(UTC)
    stage.promise(
        f"the dressy pair is ready tomorrow at the latest: {ready:%a %d %b, %H:%M} UTC",
        expected=True,
        came=ready <= datetime.now(UTC) + _TOMORROW,
    )
    await _prove_store_is_told(stage, store, before)
    await _prove_best_warehouse(stage, shipped)
    stage.note("shoes", store=store, warehouse=shipped.location_id, cost=_total(order))
    return order


async def compare_strategies(stage: Stage, offer: Offer) -> None:
    """Prove that no textbook strategy is cheaper than the plan that is proven to be the best."""
    region = stage.retailer.site(offer.location_id).region
    stage.narration.scene("An order of four lines, by every strategy")
    skus = stage.retailer.customer_skus
    chosen = [skus[place * len(skus) // _FOUR_LINES] for place in range(_FOUR_LINES)]
    names = "; ".join(stage.retailer.product_name(sku) for sku in chosen)
    stage.narration.say(
        f"{_UNITS_A_LINE} each of {names}; shipped to {stage.customer} from stores in the "
        f"{region}. Nothing is booked:"
    )
    plans = await _plans(stage, [Item(sku, _UNITS_A_LINE, _HOME) for sku in chosen], region)
    best = plans[Strategy.CHEAPEST]
    stage.narration.table(
        ("strategy", "packages", "cost", "above the best"),
        [_strategy_row(strategy, plan, best) for strategy, plan in plans.items()],
        left=frozenset({"strategy"}),
    )
    full = {strategy: plan for strategy, plan in plans.items() if not plan.shortages}
    stage.promise(
        f"{money(best.cost_micros)} is proven to be the least: no plan can cost less, and none "
        f"of the {len(plans) - 1} other strategies does",
        expected=(True, len(plans), []),
        came=(
            all(leg.is_proven for leg in best.legs),
            len(full),
            [one for one, plan in full.items() if plan.cost_micros < best.cost_micros],
        ),
    )
    stage.note("strategies", **{one.value: plan.cost_micros for one, plan in plans.items()})


async def lose_a_warehouse(stage: Stage, shoes: Order) -> None:
    """Prove that open work of a location that goes out of use is planned elsewhere at once."""
    center_id = shoes.fulfillment_orders[-1].location_id
    stage.narration.scene(f"{stage.retailer.site(center_id)} is out of use")
    client = await stage.client("checkout")
    orders = [shoes, *await _order_in_bulk(stage)]
    hit = [order for order in orders if center_id in _places(order)]
    stage.narration.say(
        f"{len(orders)} orders are open, {len(hit)} of them with work at this warehouse. It is "
        "disabled, and a watch on it prints:"
    )
    revision = (await client.get_status()).revision
    back_office = await stage.client("back-office")
    await back_office.disable_location(center_id, reason="power cut")
    changes = await _changes(client, revision, center_id, len(hit))
    stage.narration.table(
        ("order", "what happened", "now from", "cost before", "now"),
        [_change_row(stage, change, orders) for change in changes],
        left=frozenset({"order", "what happened", "now from"}),
    )
    after = [await client.get_order(order.order_id) for order in orders]
    changed = {change.order.order_id for change in changes}
    stage.promise(
        f"all {len(hit)} are planned elsewhere at once, no unit is lost, and the others stay",
        expected=([order.order_id for order in hit], [_units(order) for order in orders], []),
        came=(
            [one.order_id for one in orders if one.order_id in changed],
            [_units(order) for order in after],
            [order.order_id for order in after if center_id in _places(order)],
        ),
    )
    await _explain_on_the_command_line(stage, center_id)
    await back_office.enable_location(center_id)
    stage.note("outage", location=center_id, replanned=len(hit))


# --- the shoes


async def _stock_shoes(stage: Stage, store: str) -> None:
    client = await stage.client("back-office")
    await client.batch_create_products(
        [
            Product(sku=DRESSY, display_name="Shoes, dressy", weight_grams=900),
            Product(sku=LIMITED, display_name="Shoes, limited edition", weight_grams=800),
        ]
    )
    centers = [site for site in stage.retailer.sites if site.type == DISTRIBUTION_CENTER]
    limited = [count_stock(LIMITED, site.location_id, _PAIRS_AT_CENTER) for site in centers]
    await client.update_stock([count_stock(DRESSY, store, _PAIRS_AT_STORE), *limited])


async def _prove_store_is_told(stage: Stage, store: str, revision: int) -> None:
    """Read what a device at the store hears, from before the order on."""
    client = await stage.client("checkout")
    (told,) = await _changes(client, revision, store, 1)
    work = list(work_lines(told.order, frozenset({store})))
    stage.narration.say("A watch at the store prints its work, and only that:")
    for line in work:
        stage.narration.quote(line)
    stage.promise(
        "the store is told", expected=(SHOE_ORDER, 1), came=(told.order.order_id, len(work))
    )


async def _prove_best_warehouse(stage: Stage, shipped: FulfillmentOrder) -> None:
    """Have the decision explained: the proof, and what each other warehouse lacked."""
    client = await stage.client("checkout")
    others = [
        site.location_id
        for site in stage.retailer.sites
        if site.type == DISTRIBUTION_CENTER and site.location_id != shipped.location_id
    ]
    answer = await client.explain_decision(SHOE_ORDER, location_ids=others)
    stage.narration.say("Why not from another warehouse?")
    for found in answer.locations:
        stage.narration.quote(location_sentence(found))
    stage.promise(
        f"{stage.retailer.site(shipped.location_id)} is proven to reach the customer best",
        expected=(True, [False] * len(others)),
        came=(
            all(leg.is_proven for leg in answer.decision.legs),
            [found.is_used for found in answer.locations],
        ),
    )


def _show_work(stage: Stage, order: Order) -> None:
    stage.narration.table(
        ("from", "what", "how", "there by (UTC)", "cost"),
        [
            (
                str(stage.retailer.site(work.location_id)),
                contents(work),
                DeliveryMethod.Name(work.delivery_method).removeprefix("DELIVERY_METHOD_"),
                f"{work.deliver_by_time.ToDatetime():%d %b %H:%M}",
                money(cost_of(work)),
            )
            for work in order.fulfillment_orders
        ],
        left=frozenset({"from", "what", "how", "there by (UTC)"}),
    )


def _is_center(stage: Stage, work: FulfillmentOrder) -> bool:
    return stage.retailer.site(work.location_id).type == DISTRIBUTION_CENTER


# --- the strategies


async def _plans(stage: Stage, items: Sequence[Item], region: str) -> dict[Strategy, Plan]:
    client = await stage.client("checkout")
    terms = Terms(
        channel=CHANNEL, address=address_of(stage.customer.zip_code), scope=in_groups([region])
    )
    plans = {}
    for strategy in Strategy:
        answer = await client.simulate_routing(items, terms, strategy=number_of(strategy))
        plans[strategy] = answer.plan
    return plans


def _strategy_row(strategy: Strategy, plan: Plan, best: Plan) -> tuple[str, ...]:
    more = plan.cost_micros - best.cost_micros
    return (
        strategy.value,
        str(len(plan.packages)),
        money(plan.cost_micros),
        f"{more / best.cost_micros:.1%}" if more else "",
    )


# --- the outage


async def _order_in_bulk(stage: Stage) -> list[Order]:
    """Order what only warehouses have so much of, from towns all over the country."""
    client = await stage.client("checkout")
    towns = [site.place for site in stage.retailer.sites if site.region][::6]
    sku = stage.retailer.customer_skus[1]
    items = [Item(sku, _BULK_UNITS, _HOME)]
    return [
        await client.place_order(items, _terms_of(town), order_id=f"bulk-{number}")
        for number, town in enumerate(towns, 1)
    ]


def _terms_of(town: Place) -> Terms:
    return Terms(channel=CHANNEL, address=address_of(town.zip_code))


async def _changes(
    client: DomgrpcClient, revision: int, location_id: str, count: int
) -> list[OrderChange]:
    """Return the next changes of orders that concern a location; raises where they do not come."""
    found: list[OrderChange] = []
    responses = client.watch_orders(after_revision=revision, location_ids=[location_id])
    try:
        async with asyncio.timeout(_NEWS_SECONDS_MAX), aclosing(responses):
            while len(found) < count:
                found.extend((await anext(responses)).changes)
    except TimeoutError:
        raise PromiseBroken(
            "a watcher of orders sees every change", expected=count, came=len(found)
        ) from None
    return found


async def _explain_on_the_command_line(stage: Stage, center_id: str) -> None:
    """Run the program as a person would, and show what it says of the warehouse."""
    words = ("order", "explain", SHOE_ORDER, "--location", center_id)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "domgrpc", "--server", stage.server.target, *words),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    stage.narration.say(f"The last line of domgrpc {' '.join(words)}:")
    lines = output.decode().splitlines() or [""]
    stage.narration.quote(lines[-1])
    stage.promise(
        "the new decision is explained on the command line",
        expected=(0, True),
        came=(process.returncode, lines[-1].startswith(center_id)),
    )


def _change_row(stage: Stage, change: OrderChange, orders: Sequence[Order]) -> tuple[str, ...]:
    before = next(order for order in orders if order.order_id == change.order.order_id)
    return (
        change.order.order_id,
        OrderStepKind.Name(change.kind).removeprefix("ORDER_STEP_KIND_"),
        ", ".join(str(stage.retailer.site(place)) for place in _places(change.order)),
        money(_total(before)),
        money(_total(change.order)),
    )


def _open_work(order: Order) -> list[FulfillmentOrder]:
    return [work for work in order.fulfillment_orders if work.state != _CANCELLED]


def _places(order: Order) -> list[str]:
    """Return where an order's parcels come from, each once."""
    return list(
        {work.location_id: 0 for work in _open_work(order) if work.delivery_method == _HOME}
    )


def _total(order: Order) -> int:
    return sum(map(cost_of, _open_work(order)))


def _units(order: Order) -> int:
    return sum(line.quantity for work in _open_work(order) for line in work.lines)
