"""Plans, quotes and decisions, from the core's words to messages."""

from collections.abc import Iterable

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

from domgrpc.core.leg_explaining import weights_micros
from domgrpc.core.orders import Decision, FulfillmentLine, LegDecision
from domgrpc.core.plans import Plan, PlannedPackage, Quote, QuoteMiss, QuoteOption
from domgrpc.core.values import Revision
from domgrpc.rpc.quote_tokens import quote_token
from domgrpc.rpc.shapes import set_timestamp
from domgrpc.rpc.translate_reservations import fill_reservation
from domgrpc.v1 import order_pb2, plan_pb2


def fill_quote(message: order_pb2.Quote, quote: Quote, revision: Revision) -> None:
    """Write a quote in place of an empty message."""
    for option in quote.options:
        _fill_option(message.options.add(), option)
    for miss in quote.misses:
        _fill_miss(message.misses.add(), miss)
    set_timestamp(message.expire_time, quote.expire_time_ms)
    if quote.reservation is not None:
        fill_reservation(message.reservation, quote.reservation, revision)
    message.revision = revision


def _fill_option(message: order_pb2.QuoteOption, option: QuoteOption) -> None:
    message.delivery_method = option.delivery_method  # type: ignore[assignment]  # same numbers
    message.location_id = option.location_id
    message.quote_token = quote_token(option.quoted)
    message.cost_micros = option.plan.cost_micros
    set_timestamp(message.ship_by_time, option.ship_by_time_ms)
    set_timestamp(message.deliver_by_time, option.deliver_by_time_ms)
    if option.collect_by_time_ms:
        set_timestamp(message.collect_by_time, option.collect_by_time_ms)
    fill_plan(message.plan, option.plan)


def _fill_miss(message: order_pb2.QuoteMiss, miss: QuoteMiss) -> None:
    message.delivery_method = miss.delivery_method  # type: ignore[assignment]  # same numbers
    message.location_id = miss.location_id
    if miss.plan is not None:
        fill_plan(message.plan, miss.plan)


def fill_plan(message: plan_pb2.Plan, plan: Plan, *, with_candidates: bool = False) -> None:
    """Write a plan in place of an empty message."""
    for package in plan.packages:
        _fill_package(message.packages.add(), package)
    for leg in plan.legs:
        fill_leg(message.legs.add(), leg, with_candidates=with_candidates)
    for shortage in plan.shortages:
        message.shortages.add(
            line_id=shortage.line_id, sku=shortage.sku, quantity=shortage.quantity
        )
    message.rule_set_version = plan.rule_set_version
    message.cost_micros = plan.cost_micros


def _fill_package(message: plan_pb2.PlannedPackage, package: PlannedPackage) -> None:
    message.location_id = package.location_id
    message.delivery_method = package.delivery_method  # type: ignore[assignment]  # same numbers
    fill_fulfillment_lines(message.lines, package.lines)
    message.destination_location_id = package.destination_location_id
    set_timestamp(message.ready_time, package.ready_time_ms)
    set_timestamp(message.ship_by_time, package.ship_by_time_ms)
    set_timestamp(message.deliver_by_time, package.deliver_by_time_ms)
    if package.collect_by_time_ms:
        set_timestamp(message.collect_by_time, package.collect_by_time_ms)
    message.package_cost_micros = package.package_cost_micros
    message.units_cost_micros = package.units_cost_micros
    message.price_micros = package.price_micros
    message.parcel_id = package.parcel_id
    message.capacity_day = package.capacity_day
    message.is_dated = package.is_dated


def fill_fulfillment_lines(
    messages: "RepeatedCompositeFieldContainer[plan_pb2.FulfillmentLine]",
    lines: Iterable[FulfillmentLine],
) -> None:
    """Write the lines of a package or a fulfilment order; about half a microsecond each."""
    add = messages.add
    for line in lines:
        entry = add()
        entry.line_id = line.line_id
        entry.sku = line.sku
        entry.quantity = line.quantity
        if line.backordered_quantity:
            entry.backordered_quantity = line.backordered_quantity


def fill_decision(
    message: plan_pb2.Decision, decision: Decision, *, with_candidates: bool = False
) -> None:
    """Write a decision with its legs in place of an empty message."""
    fill_decision_head(message, decision)
    for leg in decision.legs:
        fill_leg(message.legs.add(), leg, with_candidates=with_candidates)


def fill_decision_head(message: plan_pb2.Decision, decision: Decision) -> None:
    """Write a decision without its legs in place of an empty message."""
    message.revision = decision.revision
    set_timestamp(message.decision_time, decision.time_ms)
    message.step = decision.step  # type: ignore[assignment]  # the same numbers, by a test
    if decision.rule_set_version:
        message.rule_set_version = decision.rule_set_version
    message.cost_micros = decision.cost_micros


def fill_leg(message: plan_pb2.LegDecision, leg: LegDecision, *, with_candidates: bool) -> None:
    """Write how a leg was decided in place of an empty message."""
    message.delivery_method = leg.delivery_method  # type: ignore[assignment]  # same numbers
    message.destination_location_id = leg.destination_location_id
    for sku, units in zip(leg.skus, leg.quantities, strict=True):
        message.items.add(sku=sku, quantity=units)
    message.cost_micros = leg.cost_micros
    message.lower_bound_micros = leg.lower_bound_micros
    message.is_proven = leg.is_proven
    message.node_count = leg.node_count
    message.candidate_count = leg.candidate_count
    for name, location_count in leg.removed:
        message.removed.add(filter=name, location_count=location_count)
    message.package_micros = leg.package_micros
    message.units_micros = leg.units_micros
    message.price_micros = leg.price_micros
    if leg.runner_up_micros is not None:
        message.runner_up_micros = leg.runner_up_micros
    message.runner_up_location_ids.extend(leg.runner_up_location_ids)
    message.failed_rule_ids.extend(leg.failed_rule_ids)
    if with_candidates:
        _fill_candidates(message, leg)


def _fill_candidates(message: plan_pb2.LegDecision, leg: LegDecision) -> None:
    rows, by_weight = leg.rows, weights_micros(leg)
    for place, location_id in enumerate(rows.location_ids):
        message.candidates.add(
            location_id=location_id,
            package_micros=rows.package_micros[place],
            unit_micros=[by_place[place] for by_place in rows.unit_micros],
            available_quantities=[by_place[place] for by_place in rows.available],
            weight_micros=by_weight[place],
        )
