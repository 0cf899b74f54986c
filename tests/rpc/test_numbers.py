"""The enums of the protos and of the core mean the same by the same number."""

import enum

import pytest
from google.protobuf.descriptor import EnumDescriptor

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.orders import (
    Attention,
    FulfillmentState,
    HoldKind,
    OrderStatus,
    ShortagePolicy,
    StepKind,
)
from domgrpc.core.reservations import ReservationState, SettlementOutcome
from domgrpc.core.rule_sets import RuleEffect, RuleSetState, Strategy, Unfilled
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.supply import InboundKind
from domgrpc.core.values import (
    BackorderMode,
    DeliveryMethod,
    LocationType,
    StockCondition,
    StockLevel,
)
from domgrpc.v1 import (
    inventory_pb2,
    location_pb2,
    logistics_pb2,
    order_pb2,
    plan_pb2,
    product_pb2,
    reservation_pb2,
    rule_set_pb2,
    types_pb2,
)

PAIRS: list[tuple[type[enum.IntEnum], EnumDescriptor]] = [
    (DeliveryMethod, types_pb2.DeliveryMethod.DESCRIPTOR),
    (StockCondition, types_pb2.StockCondition.DESCRIPTOR),
    (StockLevel, types_pb2.StockLevel.DESCRIPTOR),
    (LocationType, location_pb2.LocationType.DESCRIPTOR),
    (BackorderMode, product_pb2.BackorderMode.DESCRIPTOR),
    (InboundKind, inventory_pb2.InboundKind.DESCRIPTOR),
    (RuleKind, inventory_pb2.SafetyStockRuleKind.DESCRIPTOR),
    (ReservationState, reservation_pb2.ReservationState.DESCRIPTOR),
    (CapacityUnit, logistics_pb2.CapacityUnit.DESCRIPTOR),
    (OrderStatus, order_pb2.OrderStatus.DESCRIPTOR),
    (FulfillmentState, order_pb2.FulfillmentState.DESCRIPTOR),
    (Attention, order_pb2.OrderAttention.DESCRIPTOR),
    (HoldKind, order_pb2.HoldKind.DESCRIPTOR),
    (ShortagePolicy, order_pb2.ShortagePolicy.DESCRIPTOR),
    (StepKind, plan_pb2.OrderStepKind.DESCRIPTOR),
    (SettlementOutcome, reservation_pb2.SettlementOutcome.DESCRIPTOR),
    (RuleSetState, rule_set_pb2.RuleSetState.DESCRIPTOR),
    (Strategy, rule_set_pb2.RoutingStrategy.DESCRIPTOR),
    (Unfilled, rule_set_pb2.UnfilledPolicy.DESCRIPTOR),
    (RuleEffect, rule_set_pb2.RuleEffect.DESCRIPTOR),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_the_numbers_of_an_enum_are_the_same(
    ours: type[enum.IntEnum], theirs: EnumDescriptor
) -> None:
    core = {member.name: member.value for member in ours if member.value} | {"UNSPECIFIED": 0}
    wire = {value.name: value.number for value in theirs.values}
    prefix = next(name for name in wire if name.endswith("UNSPECIFIED"))[: -len("UNSPECIFIED")]
    assert {name.removeprefix(prefix): number for name, number in wire.items()} == core
