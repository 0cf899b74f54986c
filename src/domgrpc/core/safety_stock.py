"""Safety stock rules: which units are withheld, and when a position counts as low.

A rule has any of eight conditions and a value. Of each kind exactly one rule wins for one
position and one demand: most conditions first; then the one that expires soonest; then by the
weight of its dimensions (location > sku > location type or group > category > method >
channel, compared from the heaviest down); then the smaller id.

Rules are found by their SKU or location where they name one; network.py caches the winners.
"""

import enum
from collections.abc import Iterator

import msgspec
from sortedcontainers import SortedDict

from domgrpc.core.location_groups import LocationGroups
from domgrpc.core.locations import Locations
from domgrpc.core.rejections import Reason, Rejected, check_etag
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


class SafetyStockRules:
    """All rules by id, and by kind and the SKU or location that they name."""

    __slots__ = ("_buckets", "by_id", "limits", "version")

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        self.limits = limits
        self.by_id: SortedDict[RuleId, SafetyStockRule] = SortedDict()
        self.version = 0
        # Keys are (kind, "s", sku), (kind, "l", location) or (kind, "", ""); a rule that names
        # both is found by its SKU.
        self._buckets: dict[tuple[RuleKind, str, str], dict[RuleId, SafetyStockRule]] = {}

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
        self._buckets.setdefault(_bucket(rule.fields), {})[rule.rule_id] = rule

    def remove(self, rule_id: RuleId) -> None:
        """Forget a rule where it exists."""
        old = self.by_id.pop(rule_id, None)
        if old is not None:
            key = _bucket(old.fields)
            del self._buckets[key][rule_id]
            if not self._buckets[key]:
                del self._buckets[key]
        self.version += 1

    def candidates(self, kind: RuleKind, sku: str, location_id: str) -> Iterator[SafetyStockRule]:
        """Iterate the rules of a kind that may match a SKU and location."""
        for key in ((kind, "s", sku), (kind, "l", location_id), (kind, "", "")):
            yield from self._buckets.get(key, {}).values()

    def has_kind(self, kind: RuleKind) -> bool:
        """Whether any rule of the kind exists; O(buckets)."""
        return any(key[0] is kind for key in self._buckets)

    def check_invariants(self) -> None:
        """Every rule is in exactly its bucket."""
        assert sum(len(bucket) for bucket in self._buckets.values()) == len(self.by_id)
        for rule_id, rule in self.by_id.items():
            assert self._buckets[_bucket(rule.fields)][rule_id] is rule


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
    """Create, or return None where the same rule exists; else RULE_ID_TAKEN."""
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
    """Change the named fields; None where nothing differs."""
    if command.allow_missing and command.rule_id not in state.by_id:
        create = CreateSafetyStockRule(rule_id=command.rule_id, fields=command.fields)
        return decide_create_rule(state, create, at)
    old = state.get(command.rule_id)
    check_etag(command.etag, old.revision, f"safety stock rule {command.rule_id!r}")
    given = {name: getattr(command.fields, name) for name in command.field_names}
    fields = msgspec.structs.replace(old.fields, **given)
    if fields == old.fields:
        return None
    return RuleSaved(
        SafetyStockRule(old.rule_id, fields, old.create_time_ms, at.time_ms, at.revision)
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
    return sorted((rule for rule in candidates if _matches(rule.fields, subject)), key=_rank)


def _bucket(fields: RuleFields) -> tuple[RuleKind, str, str]:
    if fields.sku:
        return (fields.kind, "s", fields.sku)
    if fields.location_id:
        return (fields.kind, "l", fields.location_id)
    return (fields.kind, "", "")


def _matches(fields: RuleFields, subject: Subject) -> bool:
    return (
        fields.start_time_ms <= subject.time_ms < fields.end_time_ms
        and fields.sku in ("", subject.sku)
        and fields.location_id in ("", subject.location_id)
        and fields.location_type in (0, subject.location_type)
        and fields.delivery_method in (0, subject.demand.delivery_method)
        and fields.channel in ("", subject.demand.channel)
        and (not fields.category or fields.category in subject.categories)
        and (not fields.group_id or fields.group_id in subject.group_ids)
    )


def _rank(rule: SafetyStockRule) -> tuple[int, int, tuple[int, ...], RuleId]:
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
