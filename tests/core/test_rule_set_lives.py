"""A hypothesis machine: rule sets live as a naive list of them says."""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domgrpc.core.answers import Outcome
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.rule_sets import RuleSet, RuleSetContent
from domgrpc.core.values import RuleSetVersion
from tests.core.commands import place
from tests.core.given import Shop
from tests.core.routing_rules import activate, draft, exclude, tried, validate

GOOD, BAD, VOID = "location.id == 'A'", "location.id ==", "location.id != ''"
REFUSALS = {BAD: Reason.RULE_SET_INVALID, VOID: Reason.RULE_SET_CONTRADICTORY}
VERSIONS = st.integers(0, 6)


@dataclass
class Life:
    """A rule set as the model knows it."""

    condition: str
    state: str = "DRAFT"


class RuleSetLives(RuleBasedStateMachine):
    """Creates, validates and activates at random."""

    def __init__(self) -> None:
        """Open a shop with two locations, so that one may be excluded."""
        super().__init__()
        self.shop = Shop().given(place("A"), place("B"))
        self.lives = [Life("", "ACTIVE")]
        self.contents: dict[RuleSetVersion, RuleSetContent] = {}

    @rule(condition=st.sampled_from((GOOD, GOOD, BAD, VOID)))
    def create(self, condition: str) -> None:
        """Add a draft."""
        made = self.shop.gives(RuleSet, draft(exclude("r", condition), name=str(len(self.lives))))
        assert made.version == len(self.lives)
        self.contents[made.version] = made.content
        self.lives.append(Life(condition))

    @rule(version=VERSIONS)
    def validate(self, version: int) -> None:
        """Validate one."""
        outcome = self.shop.send(validate(version)).outcome
        if version >= len(self.lives):
            assert reason_of(outcome) is Reason.RULE_SET_NOT_FOUND
            return
        life = self.lives[version]
        refusal = REFUSALS.get(life.condition) if life.state == "DRAFT" else None
        if refusal is None and life.state == "DRAFT":
            life.state = "VALIDATED"
        assert reason_of(outcome) is refusal

    @rule(version=VERSIONS)
    def try_out(self, version: int) -> None:
        """Note that one was tried."""
        outcome = self.shop.send(tried(version)).outcome
        if version >= len(self.lives):
            assert reason_of(outcome) is Reason.RULE_SET_NOT_FOUND
            return
        life = self.lives[version]
        if life.state == "DRAFT":
            assert reason_of(outcome) is Reason.ILLEGAL_TRANSITION
            return
        life.state = "DRY_RUN" if life.state == "VALIDATED" else life.state
        assert reason_of(outcome) is None

    @rule(version=VERSIONS)
    def activate(self, version: int) -> None:
        """Activate one."""
        outcome = self.shop.send(activate(version)).outcome
        if version >= len(self.lives):
            assert reason_of(outcome) is Reason.RULE_SET_NOT_FOUND
            return
        if self.lives[version].state == "DRAFT":
            assert reason_of(outcome) is Reason.ILLEGAL_TRANSITION
            return
        for life in self.lives:
            life.state = "RETIRED" if life.state == "ACTIVE" else life.state
        self.lives[version].state = "ACTIVE"
        assert reason_of(outcome) is None

    @invariant()
    def the_rule_sets_are_those_of_the_model(self) -> None:
        """Compare, contents included: they never change."""
        kept = self.shop.state.rule_sets.by_version
        assert [rule_set.state.name for rule_set in kept.values()] == [
            life.state for life in self.lives
        ]
        assert self.contents == {v: s.content for v, s in kept.items() if v}
        active = self.shop.state.rule_sets.active(self.shop.state.network)
        assert active.content == kept[self.shop.state.rule_sets.active_version].content

    def teardown(self) -> None:
        """Read the log back."""
        self.shop.check_replay()


def reason_of(outcome: Outcome) -> Reason | None:
    """Return why an outcome is a refusal."""
    return outcome.reason if isinstance(outcome, Rejection) else None


TestRuleSetLives = pytest.mark.slow(RuleSetLives.TestCase)
TestRuleSetLives.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
