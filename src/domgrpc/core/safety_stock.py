"""Safety stock rules: which units are withheld, and when a position counts as low.

A rule has any of eight conditions and a value. Of each kind exactly one rule wins for one
position and one demand: most conditions first; then the one that expires soonest; then by the
weight of its dimensions (location > sku > location type or group > category > method >
channel, compared from the heaviest down); then the smaller id.

Rules are found by their SKU or location where they name one; network.py caches the winners.
"""

import enum
from collections.abc import Collection, Iterator, Mapping
from typing import Literal, TypeAlias

import msgspec
from sortedcontainers import SortedDict

from domgrpc.core.location_groups import LocationGroups
from domgrpc.core.locations import Locations
from domgrpc.core.rejections import Reason, Rejected, check_etag, check_no_etag
from domgrpc.core.values import (
    FOREVER_MS,
    Channel,
    DeliveryMethod,
    Demand,
    GroupId,
    Limits,
    LocationId,
    LocationType,
    Quantity,
    Revision,
    RuleId,
    Sku,
    Stamp,
    TimeMs,
)


class RuleKind(enum.IntEnum):
    """What a rule's value means."""

    SAFETY_STOCK = 1
    FULFILLMENT_MINIMUM = 2
    LOW_STOCK = 3
    OUT_OF_STOCK = 4


LEVEL_KINDS = (RuleKind.LOW_STOCK, RuleKind.OUT_OF_STOCK)


# --- commands and events


class RuleFields(msgspec.Struct, frozen=True, array_like=True):
    """What a caller says of a rule; empty or UNSPECIFIED conditions match everything."""

    kind: RuleKind
    sku: Sku = Sku("")
    category: str = ""
    location_id: LocationId = LocationId("")
    group_id: GroupId = GroupId("")
    location_type: LocationType = LocationType.UNSPECIFIED
    delivery_method: DeliveryMethod = DeliveryMethod.UNSPECIFIED
    channel: Channel = Channel("")
    fixed_quantity: Quantity | None = None
    percent_of_on_hand: int | None = None
    start_time_ms: TimeMs = TimeMs(0)
    end_time_ms: TimeMs = FOREVER_MS


class SafetyStockRule(msgspec.Struct, frozen=True, array_like=True, tag=7, tag_field="tag"):
    """A rule that withholds stock or sets a threshold."""

    rule_id: RuleId
    fields: RuleFields
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision

    def quantity(self, on_hand: int) -> int:
        """Return the value in units, per cent rounded up."""
        percent = self.fields.percent_of_on_hand
        if percent is None:
            return self.fields.fixed_quantity or 0
        return -(-on_hand * percent // 100)


class CreateSafetyStockRule(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Add a rule."""

    rule_id: RuleId
    fields: RuleFields


class UpdateSafetyStockRule(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Change the named fields of a rule, or create it where allowed."""

    rule_id: RuleId
    fields: RuleFields
    field_names: tuple[str, ...]
    etag: str = ""
    allow_missing: bool = False


class DeleteSafetyStockRule(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Remove a rule."""

    rule_id: RuleId
    etag: str = ""


class RuleSaved(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """A rule was created or changed; the whole new content."""

    rule: SafetyStockRule


class RuleDeleted(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """A rule was removed."""

    rule_id: RuleId


# --- state


Rank: TypeAlias = tuple[int, int, tuple[int, ...], RuleId]
_FoundBy: TypeAlias = Literal["sku", "location", "neither"]
_Rules: TypeAlias = dict[RuleId, SafetyStockRule]
_NO_RULES: _Rules = {}
_NONE: dict[str, _Rules] = {}


class SafetyStockRules:
    """All rules by id, and by kind and the SKU or location that they name."""

    __slots__ = ("_buckets", "by_id", "limits", "ranks", "version")

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        self.limits = limits
        self.by_id: SortedDict[RuleId, SafetyStockRule] = SortedDict()
        self.version = 0
        # A rule that names a SKU is found by it, else by its location where it names one.
        self._buckets: dict[tuple[RuleKind, _FoundBy], dict[str, _Rules]] = {}
        self.ranks: dict[RuleId, Rank] = {}

    def get(self, rule_id: RuleId) -> SafetyStockRule:
        """Return a rule or refuse with RULE_NOT_FOUND."""
        rule = self.by_id.get(rule_id)
        if rule is None:
            raise Rejected(
                Reason.RULE_NOT_FOUND,
                f"safety stock rule {rule_id!r} does not exist: create it first",
                rule_id=rule_id,
            )
        return rule

    def names_group(self, group_id: GroupId) -> RuleId | None:
        """Return a rule that names the group, None for none; O(rules)."""
        for rule_id, rule in self.by_id.items():
            if rule.fields.group_id == group_id:
                return rule_id
        return None

    def next_boundary_ms(self, now_ms: TimeMs) -> int:
        """When the next validity window opens or closes, FOREVER_MS for never; O(rules)."""
        edges = (
            edge
            for rule in self.by_id.values()
            for edge in (rule.fields.start_time_ms, rule.fields.end_time_ms)
            if edge > now_ms
        )
        return min(edges, default=FOREVER_MS)

    def put(self, rule: SafetyStockRule) -> None:
        """Store a rule in place of one with the same id."""
        self.remove(rule.rule_id)
        self.by_id[rule.rule_id] = rule
        key, name = _bucket(rule.fields)
        self._buckets.setdefault(key, {}).setdefault(name, {})[rule.rule_id] = rule
        self.ranks[rule.rule_id] = rank(rule)

    def remove(self, rule_id: RuleId) -> None:
        """Forget a rule where it exists."""
        old = self.by_id.pop(rule_id, None)
        if old is not None:
            del self.ranks[rule_id]
            key, name = _bucket(old.fields)
            named = self._buckets[key]
            del named[name][rule_id]
            if not named[name]:
                del named[name]
            if not named:
                del self._buckets[key]
        self.version += 1

    def candidates(self, kind: RuleKind, sku: str, location_id: str) -> Iterator[SafetyStockRule]:
        """Iterate the rules of a kind that may match a SKU and location."""
        yield from self.anywhere(kind, sku)
        yield from self.at_location(kind, location_id)

    def anywhere(self, kind: RuleKind, sku: str) -> Iterator[SafetyStockRule]:
        """Iterate the candidates of a SKU that are not found by their location."""
        yield from self._buckets.get((kind, "sku"), _NONE).get(sku, _NO_RULES).values()
        yield from self._buckets.get((kind, "neither"), _NONE).get("", _NO_RULES).values()

    def at_location(self, kind: RuleKind, location_id: str) -> Collection[SafetyStockRule]:
        """Return the candidates that are found by their location."""
        return self.by_location(kind).get(location_id, _NO_RULES).values()

    def by_location(self, kind: RuleKind) -> Mapping[str, _Rules]:
        """Return the rules of a kind that are found by their location, by that."""
        return self._buckets.get((kind, "location"), _NONE)

    def check_invariants(self) -> None:
        """Every rule is in exactly its bucket, and none of these is empty."""
        buckets = [bucket for named in self._buckets.values() for bucket in named.values()]
        assert all(buckets)
        assert all(self._buckets.values())
        assert sum(map(len, buckets)) == len(self.by_id) == len(self.ranks)
        for rule_id, rule in self.by_id.items():
            key, name = _bucket(rule.fields)
            assert self._buckets[key][name][rule_id] is rule
            assert self.ranks[rule_id] == rank(rule)


class Subject(msgspec.Struct, frozen=True, gc=False):
    """One position, demand and time that rules are asked about."""

    sku: Sku
    categories: tuple[str, ...]
    location_id: LocationId
    location_type: LocationType
    group_ids: tuple[GroupId, ...]
    demand: Demand
    time_ms: TimeMs


# --- decide


def decide_create_rule(
    state: SafetyStockRules, command: CreateSafetyStockRule, at: Stamp
) -> RuleSaved | None:
    """Create, or return None where the same rule exists; else RULE_ID_TAKEN or RULE_INVALID."""
    _check_whole(command.rule_id, command.fields)
    existing = state.by_id.get(command.rule_id)
    if existing is not None and existing.fields == command.fields:
        return None
    if existing is not None:
        raise Rejected(
            Reason.RULE_ID_TAKEN,
            f"safety stock rule {command.rule_id!r} exists with other content: update it instead",
            rule_id=command.rule_id,
        )
    if len(state.by_id) >= state.limits.rules_max:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"there are {len(state.by_id)} safety stock rules already, the most that is allowed",
            limit=state.limits.rules_max,
        )
    rule = SafetyStockRule(command.rule_id, command.fields, at.time_ms, at.time_ms, at.revision)
    return RuleSaved(rule)


def decide_update_rule(
    state: SafetyStockRules, command: UpdateSafetyStockRule, at: Stamp
) -> RuleSaved | None:
    """Change the named fields; None where nothing differs, RULE_INVALID for what comes of it."""
    if command.allow_missing and command.rule_id not in state.by_id:
        check_no_etag(command.etag, f"safety stock rule {command.rule_id!r}")
        create = CreateSafetyStockRule(rule_id=command.rule_id, fields=command.fields)
        return decide_create_rule(state, create, at)
    old = state.get(command.rule_id)
    check_etag(command.etag, old.revision, f"safety stock rule {command.rule_id!r}")
    given = {name: getattr(command.fields, name) for name in command.field_names}
    fields = msgspec.structs.replace(old.fields, **given)
    if fields == old.fields:
        return None
    _check_whole(command.rule_id, fields)
    return RuleSaved(
        SafetyStockRule(old.rule_id, fields, old.create_time_ms, at.time_ms, at.revision)
    )


def _check_whole(rule_id: RuleId, fields: RuleFields) -> None:
    # What no field breaks alone: an update can make it of fields that were right before.
    if (fields.fixed_quantity is None) == (fields.percent_of_on_hand is None):
        field, problem = "value", "needs either fixed_quantity or percent_of_on_hand"
    elif fields.end_time_ms <= fields.start_time_ms:
        field = "end_time"
        problem = f"ends at {fields.end_time_ms} ms, not after its start, {fields.start_time_ms} ms"
    elif fields.kind in LEVEL_KINDS and (fields.channel or fields.delivery_method):
        field = "channel" if fields.channel else "delivery_method"
        problem = f"is of kind {fields.kind.name}, which is for every demand: leave {field} empty"
    else:
        return
    raise Rejected(
        Reason.RULE_INVALID,
        f"safety stock rule {rule_id!r} {problem}",
        rule_id=rule_id,
        field=field,
    )


def check_rule_places(fields: RuleFields, locations: Locations, groups: LocationGroups) -> None:
    """Refuse a rule that names an unknown location or group."""
    if fields.location_id:
        locations.index(fields.location_id)
    if fields.group_id:
        groups.get(fields.group_id)


def decide_delete_rule(state: SafetyStockRules, command: DeleteSafetyStockRule) -> RuleDeleted:
    """Remove a rule or refuse with RULE_NOT_FOUND."""
    old = state.get(command.rule_id)
    check_etag(command.etag, old.revision, f"safety stock rule {command.rule_id!r}")
    return RuleDeleted(command.rule_id)


# --- evolve


def evolve_rule_saved(state: SafetyStockRules, event: RuleSaved) -> None:
    """Store the rule."""
    state.put(event.rule)


def evolve_rule_deleted(state: SafetyStockRules, event: RuleDeleted) -> None:
    """Forget the rule."""
    state.remove(event.rule_id)


# --- precedence


def matching_rules(
    state: SafetyStockRules, kind: RuleKind, subject: Subject
) -> list[SafetyStockRule]:
    """Return the rules of a kind that match, the winner first."""
    candidates = state.candidates(kind, subject.sku, subject.location_id)
    matching = (rule for rule in candidates if _matches(rule.fields, subject))
    return sorted(matching, key=lambda rule: state.ranks[rule.rule_id])


def _bucket(fields: RuleFields) -> tuple[tuple[RuleKind, _FoundBy], str]:
    if fields.sku:
        return (fields.kind, "sku"), fields.sku
    if fields.location_id:
        return (fields.kind, "location"), fields.location_id
    return (fields.kind, "neither"), ""


def _matches(fields: RuleFields, subject: Subject) -> bool:
    return (
        fields.start_time_ms <= subject.time_ms < fields.end_time_ms
        and matches_goods(fields, subject)
        and matches_place(fields, subject)
    )


def matches_goods(fields: RuleFields, subject: Subject) -> bool:
    """Whether a rule matches by what is asked, without regard to place and time."""
    return (
        fields.sku in ("", subject.sku)
        and (not fields.category or fields.category in subject.categories)
        and fields.delivery_method in (0, subject.demand.delivery_method)
        and fields.channel in ("", subject.demand.channel)
    )


def matches_place(fields: RuleFields, subject: Subject) -> bool:
    """Whether a rule matches by the place alone."""
    return (
        fields.location_id in ("", subject.location_id)
        and fields.location_type in (0, subject.location_type)
        and (not fields.group_id or fields.group_id in subject.group_ids)
    )


def rank(rule: SafetyStockRule) -> Rank:
    """Return what rules are ordered by, the one that wins first."""
    # The weight of each dimension that the rule names, heaviest first, negated for sorting.
    fields = rule.fields
    named = (
        (6, fields.location_id),
        (5, fields.sku),
        (4, fields.location_type),
        (4, fields.group_id),
        (3, fields.category),
        (2, fields.delivery_method),
        (1, fields.channel),
    )
    weights = tuple(-weight for weight, value in named if value)
    return (-len(weights), fields.end_time_ms, weights, rule.rule_id)
