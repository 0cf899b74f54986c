"""The rule sets of the service: their state, what may be done to them, and their compiled forms.

`RuleSets.active(network)` is what routing asks. Compiled forms are views: they are built when
they are first asked for and hold nothing that the contents do not say.
"""

from collections.abc import Iterator

import msgspec
from sortedcontainers import SortedDict

from domgrpc.core.network import Network
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.rule_checks import check_rules
from domgrpc.core.rule_effects import CompiledRuleSet
from domgrpc.core.rule_sets import (
    BUILT_IN,
    BUILT_IN_CONTENT,
    ActivateRuleSet,
    CreateRuleSet,
    DryRunRuleSet,
    RuleSet,
    RuleSetCreated,
    RuleSetState,
    RuleSetStateChanged,
    ValidateRuleSet,
)
from domgrpc.core.values import Limits, Revision, RuleSetVersion, Stamp, TimeMs

_COMPILED_MAX = 8
_BUILT_IN_SET = RuleSet(
    version=BUILT_IN,
    content=BUILT_IN_CONTENT,
    state=RuleSetState.ACTIVE,
    create_time_ms=TimeMs(0),
    update_time_ms=TimeMs(0),
    revision=Revision(0),
)

NEXT_STATES: dict[RuleSetState, tuple[RuleSetState, ...]] = {
    RuleSetState.DRAFT: (RuleSetState.VALIDATED,),
    RuleSetState.VALIDATED: (RuleSetState.DRY_RUN, RuleSetState.ACTIVE),
    RuleSetState.DRY_RUN: (RuleSetState.ACTIVE,),
    RuleSetState.ACTIVE: (RuleSetState.RETIRED,),
    RuleSetState.RETIRED: (RuleSetState.ACTIVE,),
}
"""The life of a rule set."""


class RuleSets:
    """All rule sets by version; exactly one is active."""

    __slots__ = ("_compiled", "active_version", "by_version", "limits")

    def __init__(self, limits: Limits) -> None:
        """Start with the built-in one."""
        self.limits = limits
        self.by_version: SortedDict[RuleSetVersion, RuleSet] = SortedDict()
        self.by_version[BUILT_IN] = _BUILT_IN_SET
        self.active_version = BUILT_IN
        self._compiled: dict[RuleSetVersion, CompiledRuleSet] = {}

    def get(self, version: RuleSetVersion) -> RuleSet:
        """Return a rule set or refuse with RULE_SET_NOT_FOUND."""
        rule_set = self.by_version.get(version)
        if rule_set is None:
            raise Rejected(
                Reason.RULE_SET_NOT_FOUND,
                f"there is no rule set of version {version}: the newest is "
                f"{self.by_version.peekitem()[0]}",
                version=version,
            )
        return rule_set

    def active(self, network: Network) -> CompiledRuleSet:
        """Return the active rule set, ready to be asked."""
        compiled = self._compiled.get(self.active_version)
        if compiled is not None and compiled.is_plain:
            # Asked for every order; without rules there is nothing to keep up to date.
            return compiled
        return self.compiled(self.active_version, network)

    def compiled(self, version: RuleSetVersion, network: Network) -> CompiledRuleSet:
        """Return a rule set, ready to be asked, or refuse with RULE_SET_NOT_FOUND.

        A few compiled forms are kept. O(1) where nothing changed, see Masks.refresh.
        """
        compiled = self._compiled.get(version)
        if compiled is None:
            content = self.get(version).content
            if len(self._compiled) >= _COMPILED_MAX:
                del self._compiled[next(iter(self._compiled))]
            compiled = self._compiled[version] = CompiledRuleSet(content)
        if not compiled.is_plain:
            compiled.refresh(network)
        return compiled

    def check_invariants(self) -> None:
        """Versions have no gap, and exactly one is active."""
        assert list(self.by_version) == list(range(len(self.by_version)))
        states = [rule_set.state for rule_set in self.by_version.values()]
        assert states.count(RuleSetState.ACTIVE) == 1
        assert self.by_version[self.active_version].state is RuleSetState.ACTIVE
        for version, rule_set in self.by_version.items():
            assert rule_set.version == version


# --- decide


def decide_create_rule_set(state: RuleSets, command: CreateRuleSet, at: Stamp) -> RuleSetCreated:
    """Add a draft under the next version; CAPACITY_EXCEEDED."""
    if len(state.by_version) > state.limits.rule_sets_max:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"there are {state.limits.rule_sets_max} rule sets already, the most that is allowed",
            limit=state.limits.rule_sets_max,
        )
    return RuleSetCreated(
        RuleSet(
            version=RuleSetVersion(len(state.by_version)),
            content=command.content,
            state=RuleSetState.DRAFT,
            create_time_ms=at.time_ms,
            update_time_ms=at.time_ms,
            revision=at.revision,
        )
    )


def decide_validate_rule_set(
    state: RuleSets, network: Network, command: ValidateRuleSet
) -> RuleSetStateChanged | None:
    """Check a draft; None where it was validated before, whatever became of it.

    Refuses with RULE_SET_INVALID and RULE_SET_CONTRADICTORY.
    """
    rule_set = state.get(command.version)
    if rule_set.state is not RuleSetState.DRAFT:
        return None
    warnings = check_rules(rule_set.content, network)
    return RuleSetStateChanged(command.version, RuleSetState.VALIDATED, warnings)


def decide_dry_run_rule_set(state: RuleSets, command: DryRunRuleSet) -> RuleSetStateChanged | None:
    """Note that a rule set was tried; None where it has come further already.

    Refuses a draft with ILLEGAL_TRANSITION.
    """
    rule_set = check_is_validated(state, command.version)
    if RuleSetState.DRY_RUN not in NEXT_STATES[rule_set.state]:
        return None
    return RuleSetStateChanged(command.version, RuleSetState.DRY_RUN)


def check_is_validated(state: RuleSets, version: RuleSetVersion) -> RuleSet:
    """Return a rule set, or refuse with RULE_SET_NOT_FOUND, a draft with ILLEGAL_TRANSITION."""
    rule_set = state.get(version)
    if rule_set.state is RuleSetState.DRAFT:
        raise Rejected(
            Reason.ILLEGAL_TRANSITION,
            f"rule set {version} is a {rule_set.state.name}: validate it first",
            version=version,
            state=rule_set.state.name,
        )
    return rule_set


def decide_activate_rule_set(
    state: RuleSets, command: ActivateRuleSet
) -> RuleSetStateChanged | None:
    """Route by a rule set from the next command on; None where it is active already.

    Refuses a draft with ILLEGAL_TRANSITION.
    """
    rule_set = check_is_validated(state, command.version)
    if rule_set.state is RuleSetState.ACTIVE:
        return None
    return RuleSetStateChanged(command.version, RuleSetState.ACTIVE)


# --- evolve


def evolve_rule_set_created(state: RuleSets, event: RuleSetCreated) -> None:
    """Add the draft."""
    state.by_version[event.rule_set.version] = event.rule_set


def evolve_rule_set_state_changed(state: RuleSets, event: RuleSetStateChanged, at: Stamp) -> None:
    """Let a rule set go on; one that becomes active retires the other."""
    if event.state is RuleSetState.ACTIVE:
        _go_on(state, state.active_version, RuleSetState.RETIRED, at)
        state.active_version = event.version
    changed = _go_on(state, event.version, event.state, at)
    if event.state is RuleSetState.VALIDATED:
        changed = msgspec.structs.replace(changed, warnings=event.warnings)
    elif event.state is RuleSetState.ACTIVE:
        changed = msgspec.structs.replace(changed, active_revision=at.revision)
    state.by_version[event.version] = changed


def _go_on(state: RuleSets, version: RuleSetVersion, to_state: RuleSetState, at: Stamp) -> RuleSet:
    old = state.by_version[version]
    changed = msgspec.structs.replace(
        old, state=to_state, update_time_ms=at.time_ms, revision=at.revision
    )
    state.by_version[version] = changed
    return changed


def restore_rule_set(state: RuleSets, rule_set: RuleSet) -> None:
    """Add a rule set from a snapshot; what the built-in one says comes from the program."""
    if rule_set.version == BUILT_IN:
        rule_set = msgspec.structs.replace(rule_set, content=BUILT_IN_CONTENT)
    state.by_version[rule_set.version] = rule_set
    if rule_set.state is RuleSetState.ACTIVE:
        state.active_version = rule_set.version


# --- views


def rule_sets_before(state: RuleSets, before: int) -> Iterator[RuleSet]:
    """Iterate the rule sets with a version below `before`, the newest first."""
    last = RuleSetVersion(before)
    for version in state.by_version.irange(None, last, (True, False), reverse=True):
        yield state.by_version[version]
