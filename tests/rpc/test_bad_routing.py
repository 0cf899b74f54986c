"""What is wrong with a routing call is named by its field."""

from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration

from domgrpc.rpc.translate_routing import (
    apply_replan,
    backlog_question,
    decision_number,
    explained_locations,
    simulation_question,
)
from domgrpc.v1 import order_pb2 as od
from domgrpc.v1 import routing_pb2 as pb
from domgrpc.v1 import types_pb2 as ty
from tests.rpc.bad_shapes import LONG, TOO_MUCH, UNKNOWN, Case, Field, each_case, expect_bad, filled
from tests.rpc.ordering import HOME, SHIP, line


def simulation(**fields: Field) -> pb.SimulateRoutingRequest:
    return pb.SimulateRoutingRequest(**filled(fields, lines=[line("A")], terms=HOME))


def mocked(**fields: Field) -> pb.SimulateRoutingRequest:
    return simulation(stock=[pb.MockStock(**filled(fields, sku="A", location_id="a"))])


def moving(**fields: Field) -> pb.ApplyReplanRequest:
    package = pb.ReplanPackage(
        location_id="a", delivery_method=SHIP, lines=[od.LineUnits(line_id="1", quantity=1)]
    )
    one = pb.ReplanMove(**filled(fields, order_id="o", etag="7", packages=[package]))
    return pb.ApplyReplanRequest(moves=[one])


def packed(**fields: Field) -> pb.ApplyReplanRequest:
    units = [od.LineUnits(line_id="1", quantity=1)]
    package = pb.ReplanPackage(**filled(fields, location_id="a", delivery_method=SHIP, lines=units))
    return moving(packages=[package])


CASES: list[Case] = [
    (simulation_question, pb.SimulateRoutingRequest(), "lines"),
    (simulation_question, simulation(terms=od.OrderTerms()), "terms.address.point"),
    (simulation_question, simulation(order_id="o"), "lines"),
    (simulation_question, simulation(order_id="o", lines=[]), "terms"),
    (simulation_question, pb.SimulateRoutingRequest(order_id="a b"), "order_id"),
    (simulation_question, simulation(rule_set_version=-1), "rule_set_version"),
    (simulation_question, simulation(strategy=UNKNOWN), "strategy"),
    (simulation_question, mocked(sku=""), "stock[0].sku"),
    (simulation_question, mocked(location_id=LONG), "stock[0].location_id"),
    (simulation_question, mocked(quantity=TOO_MUCH), "stock[0].quantity"),
    (simulation_question, simulation(stock=[*mocked().stock, *mocked().stock]), "stock[1]"),
    (simulation_question, simulation(stock=[pb.MockStock()] * 10_001), "stock"),
    (decision_number, pb.ExplainDecisionRequest(decision_number=-1), "decision_number"),
    (explained_locations, pb.ExplainDecisionRequest(location_ids=[""]), "location_ids[0]"),
    (explained_locations, pb.ExplainDecisionRequest(location_ids=["a"] * 101), "location_ids"),
    (
        backlog_question,
        pb.ReoptimizeBacklogRequest(stability_price_micros=-1),
        "stability_price_micros",
    ),
    (backlog_question, pb.ReoptimizeBacklogRequest(saving_micros_min=-1), "saving_micros_min"),
    (backlog_question, pb.ReoptimizeBacklogRequest(order_count_max=100_001), "order_count_max"),
    (
        backlog_question,
        pb.ReoptimizeBacklogRequest(search_time_max=Duration(nanos=5)),
        "search_time_max",
    ),
    (
        backlog_question,
        pb.ReoptimizeBacklogRequest(scope=ty.Scope(groups=ty.GroupList())),
        "scope.groups.group_ids",
    ),
    (apply_replan, pb.ApplyReplanRequest(), "moves"),
    (apply_replan, pb.ApplyReplanRequest(moves=[pb.ReplanMove()] * 501), "moves"),
    (apply_replan, pb.ApplyReplanRequest(moves=[*moving().moves] * 2), "moves[1].order_id"),
    (
        apply_replan,
        pb.ApplyReplanRequest(
            moves=[*packed(lines=[od.LineUnits(line_id="1", quantity=1)] * 201).moves] * 50
        ),
        "moves",
    ),
    (apply_replan, moving(order_id=""), "moves[0].order_id"),
    (apply_replan, moving(etag=""), "moves[0].etag"),
    (apply_replan, moving(etag="x"), "moves[0].etag"),
    (apply_replan, moving(etag="9" * 19), "moves[0].etag"),
    (apply_replan, moving(etag="9" * 99), "moves[0].etag"),
    (apply_replan, moving(packages=[]), "moves[0].packages"),
    (apply_replan, packed(location_id=""), "moves[0].packages[0].location_id"),
    (apply_replan, packed(delivery_method=UNKNOWN), "moves[0].packages[0].delivery_method"),
    (apply_replan, packed(delivery_method=0), "moves[0].packages[0].delivery_method"),
    (
        apply_replan,
        packed(destination_location_id=LONG),
        "moves[0].packages[0].destination_location_id",
    ),
    (apply_replan, packed(lines=[]), "moves[0].packages[0].lines"),
    (
        apply_replan,
        packed(lines=[od.LineUnits(line_id="1")]),
        "moves[0].packages[0].lines[0].quantity",
    ),
    (
        apply_replan,
        packed(lines=[od.LineUnits(line_id="1", quantity=1)] * 2),
        "moves[0].packages[0].lines[1].line_id",
    ),
]


@each_case(CASES)
def test_a_bad_shape_is_refused_by_the_path_of_its_field(
    read: Callable[[Any], object], message: object, path: str
) -> None:
    expect_bad(read, message, path)
