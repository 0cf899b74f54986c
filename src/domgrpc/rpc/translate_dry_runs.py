"""Dry runs of rule sets between messages and the core."""

from collections.abc import Iterable

from domgrpc.core.dry_runs import (
    DRY_RUN_ORDERS_DEFAULT,
    DRY_RUN_ORDERS_MAX,
    TriedPlan,
)
from domgrpc.core.rule_sets import DryRunRuleSet
from domgrpc.engine.dry_running import DryRunReport
from domgrpc.rpc.shapes import whole
from domgrpc.rpc.translate_rule_sets import version_of
from domgrpc.v1 import rule_set_pb2


def dry_run_rule_set(message: rule_set_pb2.DryRunRuleSetRequest) -> DryRunRuleSet:
    """Read DryRunRuleSet."""
    count = whole(message.order_count, "order_count", 0, DRY_RUN_ORDERS_MAX)
    version = version_of(message.version)
    return DryRunRuleSet(version=version, order_count=count or DRY_RUN_ORDERS_DEFAULT)


def fill_dry_run(message: rule_set_pb2.DryRunRuleSetResponse, report: DryRunReport) -> None:
    """Write what became of the orders, and the sums."""
    message.active_version = report.active_version
    for each in report.tried:
        order = message.orders.add(order_id=each.order_id, differs=each.differs)
        _fill_plan(order.active, each.active)
        _fill_plan(order.tried, each.tried)
    for untried in report.untried:
        message.untried.add(order_id=untried.order_id, reason=untried.reason)
    message.differing_count = sum(each.differs for each in report.tried)
    active = [each.active for each in report.tried]
    tried = [each.tried for each in report.tried]
    _fill_total(message.active_total, active)
    _fill_total(message.tried_total, tried)
    message.active_unfilled_count = _unfilled_count(active)
    message.tried_unfilled_count = _unfilled_count(tried)


def _fill_plan(message: rule_set_pb2.TriedPlan, plan: TriedPlan) -> None:
    _fill_total(message, (plan,))
    message.location_ids.extend(plan.location_ids)


def _fill_total(message: rule_set_pb2.TriedPlan, plans: Iterable[TriedPlan]) -> None:
    for plan in plans:
        message.cost_micros += plan.cost_micros
        message.paid_micros += plan.paid_micros
        message.package_count += plan.package_count
        message.unfilled_quantity += plan.unfilled_quantity


def _unfilled_count(plans: Iterable[TriedPlan]) -> int:
    return sum(plan.unfilled_quantity > 0 for plan in plans)
