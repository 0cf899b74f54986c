"""Planning an order: its lines become legs, each leg a routing question, each answer packages.

Legs are planned one after the other, in the order in which their first lines stand, and what one
takes is not there for the next. Stock comes before supply: candidates that wait for supply are
weighed only where the stock there is cannot serve the leg, and only what is allowed to be
backordered.
"""

from collections.abc import Mapping

import msgspec

from domgrpc.core.geography import Point
from domgrpc.core.journeys import Journey, TransportTable
from domgrpc.core.leg_routing import LegPlan, route_leg
from domgrpc.core.logistics import Logistics
from domgrpc.core.network import Ask, Network
from domgrpc.core.order_book import Orders
from domgrpc.core.order_legs import Leg, legs_of, needs_of, package_groups
from domgrpc.core.orders import (
    FulfillmentOrder,
    LegDecision,
    Order,
    OrderLine,
    OrderTerms,
    ShortagePolicy,
    is_unreleased,
)
from domgrpc.core.plans import LineShortage, MockStock, Plan, PlannedPackage
from domgrpc.core.routing.candidates import Claims, LegQuestion, Prices
from domgrpc.core.rule_sets import RuleSet
from domgrpc.core.rule_set_book import RuleSets
from domgrpc.core.values import Demand, LocationId, LocationIndex, Sku, TimeMs
