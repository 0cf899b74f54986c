"""The life of rule sets: drafts, versions, one active, and the way back."""

import msgspec
import pytest

from domgrpc.core.rejections import Reason
from domgrpc.core.rule_facts import OrderFacts
from domgrpc.core.rule_questions import library
from domgrpc.core.rule_set_book import (
    NEXT_STATES,
    RuleSets,
    decide_activate_rule_set,
    decide_create_rule_set,
    evolve_rule_set_created,
    evolve_rule_set_state_changed,
    restore_rule_set,
)
from domgrpc.core.rule_sets import (
    BUILT_IN,
    BUILT_IN_CONTENT,
    RuleSet,
    RuleSetState,
    RuleSetStateChanged,
    Strategy,
    Unfilled,
    preset,
)
from domgrpc.core.values import Limits, Revision, RuleSetVersion, Stamp, TimeMs
from tests.core.commands import place
from tests.core.given import Shop
from tests.core.routing_rules import activate, draft, exclude, limit, prefer, require, validate

NO_STORES = exclude("no-stores", "location.type == 'STORE'")


def state_of(shop: Shop, version: int) -> RuleSetState:
    return shop.state.rule_sets.get(RuleSetVersion(version)).state


def activated(shop: Shop, version: int) -> RuleSet:
    return shop.gives(RuleSet, activate(version))


def test_with_none_created_the_built_in_one_is_active(shop: Shop) -> None:
    (rule_set,) = shop.state.rule_sets.by_version.values()
    assert (rule_set.version, rule_set.state) == (BUILT_IN, RuleSetState.ACTIVE)
    assert rule_set.content.strategy is Strategy.CHEAPEST
    assert rule_set.content.unfilled is Unfilled.BACKORDER
    assert not rule_set.content.rules


def test_a_rule_set_gets_the_next_version_and_is_a_draft(shop: Shop) -> None:
    first = shop.gives(RuleSet, draft(NO_STORES, name="first"))
    second = shop.gives(RuleSet, draft())
    assert (first.version, second.version) == (1, 2)
    assert first.state is RuleSetState.DRAFT
    assert first.content.rules == (NO_STORES,)


def test_two_rule_sets_may_say_the_same(shop: Shop) -> None:
    shop.given(draft(NO_STORES), draft(NO_STORES))
    assert len(shop.state.rule_sets.by_version) == 3


def test_activating_retires_the_one_that_was_at_one_revision(shop: Shop) -> None:
    shop.given(place("A"), draft(), validate(1))
    rule_set = activated(shop, 1)
    assert rule_set.state is RuleSetState.ACTIVE
    assert rule_set.active_revision == rule_set.revision == shop.state.revision
    assert state_of(shop, 0) is RuleSetState.RETIRED


def test_rolling_back_is_activating_an_older_one(shop: Shop) -> None:
    shop.given(draft(), validate(1), draft(), validate(2), activate(1), activate(2), activate(1))
    assert [state_of(shop, version) for version in (0, 1, 2)] == [
        RuleSetState.RETIRED,
        RuleSetState.ACTIVE,
        RuleSetState.RETIRED,
    ]
    assert activated(shop, 0).content == BUILT_IN_CONTENT


def test_a_draft_cannot_be_activated(shop: Shop) -> None:
    shop.given(draft())
    assert shop.refuses(activate(1)) is Reason.ILLEGAL_TRANSITION


@pytest.mark.parametrize("command", [validate(1), activate(1), validate(-1)])
def test_a_version_that_never_was_is_not_found(shop: Shop, command: object) -> None:
    assert shop.refuses(command) is Reason.RULE_SET_NOT_FOUND  # type: ignore[arg-type]


def test_validating_and_activating_twice_change_nothing_more(shop: Shop) -> None:
    shop.given(draft(), validate(1))
    validated = shop.gives(RuleSet, validate(1))
    assert validated.state is RuleSetState.VALIDATED
    once = activated(shop, 1)
    assert activated(shop, 1) == once
    # Validating one that went on leaves it where it is.
    assert shop.gives(RuleSet, validate(1)) == once


def test_a_draft_that_is_refused_stays_a_draft(shop: Shop) -> None:
    shop.given(draft(exclude("bad", "order.channel ==")))
    assert shop.refuses(validate(1)) is Reason.RULE_SET_INVALID
    assert state_of(shop, 1) is RuleSetState.DRAFT


def test_so_many_rule_sets_are_kept_and_no_more() -> None:
    shop = Shop(Limits(rule_sets_max=2)).given(draft(), draft())
    assert shop.refuses(draft()) is Reason.CAPACITY_EXCEEDED


def test_every_strategy_has_a_preset_without_rules() -> None:
    for strategy in Strategy:
        content = preset(strategy)
        assert content.strategy is strategy
        assert content.display_name
        assert not content.rules


def test_a_set_on_trial_may_become_active() -> None:
    rule_sets, at = RuleSets(Limits()), Stamp(TimeMs(1), Revision(9))
    evolve_rule_set_created(rule_sets, decide_create_rule_set(rule_sets, draft(), at))
    for state in (RuleSetState.VALIDATED, RuleSetState.DRY_RUN):
        evolve_rule_set_state_changed(rule_sets, RuleSetStateChanged(RuleSetVersion(1), state), at)
        rule_sets.check_invariants()
    assert rule_sets.get(RuleSetVersion(1)).state is RuleSetState.DRY_RUN
    event = decide_activate_rule_set(rule_sets, activate(1))
    assert event == RuleSetStateChanged(RuleSetVersion(1), RuleSetState.ACTIVE)


def test_every_state_has_its_next_ones() -> None:
    assert set(NEXT_STATES) == set(RuleSetState)
    assert RuleSetState.DRAFT not in {after for each in NEXT_STATES.values() for after in each}


def test_many_sets_can_be_asked_by_turns(shop: Shop) -> None:
    for number in range(10):
        shop.given(draft(limit("l", "", number + 1)))
    for _ in range(2):
        for number in range(11):
            asked = shop.state.rule_sets.compiled(RuleSetVersion(number), shop.state.network)
            assert asked.effects(OrderFacts(), ()).package_count_max == number


def test_a_snapshot_brings_back_all_but_what_the_program_says_itself(shop: Shop) -> None:
    shop.given(draft(NO_STORES), validate(1), activate(1))
    loaded = RuleSets(Limits())
    for rule_set in shop.state.rule_sets.by_version.values():
        older = msgspec.structs.replace(rule_set.content, display_name="as it was")
        if rule_set.version == BUILT_IN:
            rule_set = msgspec.structs.replace(rule_set, content=older)  # noqa: PLW2901
        restore_rule_set(loaded, rule_set)
    loaded.check_invariants()
    assert loaded.by_version == shop.state.rule_sets.by_version
    assert loaded.active_version == 1


def test_the_library_is_loaded_once() -> None:
    loaded = library()
    library.cache_clear()
    assert library() is loaded


def test_the_whole_life_is_replayed(shop: Shop) -> None:
    rules = (NO_STORES, require("r", "location.id == 'A'"), prefer("p", "", 5), limit("l", "", 1))
    shop.given(place("A"), draft(*rules), draft(*rules[1:]), validate(2), activate(2), activate(0))
    shop.check_replay()
