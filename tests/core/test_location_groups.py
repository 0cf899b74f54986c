"""Groups: named sets of locations, views without stock of their own."""

import msgspec

from domgrpc.core.answers import Deleted
from domgrpc.core.location_groups import DeleteLocationGroup, LocationGroup, UpdateLocationGroup
from domgrpc.core.rejections import Reason
from domgrpc.core.values import GroupId, Limits, LocationId
from tests.core.commands import group, no_rule, on_hand, place, reserve, rule
from tests.core.given import NOON_MS, Shop
from tests.core.scope_words import in_groups


def change_group(
    group_id: str,
    *location_ids: str,
    name: str | None = None,
    etag: str = "",
    allow_missing: bool = False,
) -> UpdateLocationGroup:
    """Change the members of a group, or with a name only that."""
    members = tuple(LocationId(location_id) for location_id in location_ids)
    return UpdateLocationGroup(
        group_id=GroupId(group_id),
        display_name=name,
        location_ids=members if members or name is None else None,
        etag=etag,
        allow_missing=allow_missing,
    )


def delete(group_id: str, etag: str = "") -> DeleteLocationGroup:
    """Remove a group."""
    return DeleteLocationGroup(group_id=GroupId(group_id), etag=etag)


def test_members_are_kept_once_in_order_of_their_id(shop: Shop) -> None:
    shop.given(place("C"), place("A"), place("B"))
    made = shop.gives(LocationGroup, group("west", "C", "A", "C", name="West"))
    assert made.location_ids == ("A", "C")
    assert (made.display_name, made.create_time_ms, made.revision) == ("West", NOON_MS, 4)


def test_a_group_may_be_empty(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=3), group("none"))
    assert shop.atf("x", scope=in_groups("none")) == 0


def test_every_member_must_exist(shop: Shop) -> None:
    shop.given(place("A"))
    unknown = shop.refusal(group("west", "A", "Z"))
    assert unknown.reason is Reason.LOCATION_NOT_FOUND
    assert unknown.facts["location_id"] == "Z"
    shop.given(group("west", "A"))
    assert shop.refuses(change_group("west", "Z")) is Reason.LOCATION_NOT_FOUND


def test_creating_the_same_group_again_changes_nothing_and_another_is_refused(shop: Shop) -> None:
    shop.given(place("A"), place("B"))
    made = shop.gives(LocationGroup, group("west", "A", "B"))
    shop.later(1000)
    assert shop.gives(LocationGroup, group("west", "B", "A")) == made
    assert shop.refuses(group("west", "A")) is Reason.GROUP_ID_TAKEN
    assert shop.refuses(group("west", "A", "B", name="West")) is Reason.GROUP_ID_TAKEN


def test_an_update_changes_name_or_members_and_the_etag(shop: Shop) -> None:
    shop.given(place("A"), place("B"))
    made = shop.gives(LocationGroup, group("west", "A"))
    shop.later(1000)
    named = shop.gives(LocationGroup, change_group("west", name="West"))
    assert named == msgspec.structs.replace(
        made, display_name="West", update_time_ms=NOON_MS + 1000, revision=4
    )
    grown = shop.gives(LocationGroup, change_group("west", "B", "A", etag="4"))
    assert (grown.display_name, grown.location_ids) == ("West", ("A", "B"))
    assert shop.refuses(change_group("west", "A", etag="4")) is Reason.ETAG_MISMATCH


def test_an_etag_of_a_group_that_was_deleted_is_refused(shop: Shop) -> None:
    shop.given(place("A"))
    made = shop.gives(LocationGroup, group("west", "A"))
    shop.given(delete("west"))
    again = change_group("west", "A", etag=str(made.revision), allow_missing=True)
    assert shop.refuses(again) is Reason.ETAG_MISMATCH


def test_an_update_that_changes_nothing_keeps_the_etag(shop: Shop) -> None:
    shop.given(place("A"))
    made = shop.gives(LocationGroup, group("west", "A"))
    assert shop.gives(LocationGroup, change_group("west", "A", "A")) == made


def test_an_unknown_group_is_created_by_an_update_that_allows_it(shop: Shop) -> None:
    shop.given(place("A"))
    assert shop.refuses(change_group("west", "A")) is Reason.GROUP_NOT_FOUND
    made = shop.gives(LocationGroup, change_group("west", "A", allow_missing=True))
    assert (made.display_name, made.location_ids) == ("", ("A",))


def test_new_members_count_at_once_in_totals_that_were_asked_before(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=3, B=4), group("west", "A"))
    assert shop.atf("x", scope=in_groups("west")) == 3
    shop.given(change_group("west", "A", "B"))
    assert shop.atf("x", scope=in_groups("west")) == 7
    shop.given(reserve(("x", "B", 4)))
    assert shop.atf("x", scope=in_groups("west")) == 3
    shop.given(change_group("west", "B"))
    assert shop.atf("x", scope=in_groups("west")) == 0


def test_a_deleted_group_is_gone_and_its_stock_stays(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=3), group("west", "A"))
    shop.gives(Deleted, delete("west"))
    assert shop.refuses(delete("west")) is Reason.GROUP_NOT_FOUND
    assert shop.atf("x") == 3


def test_a_deleted_group_can_be_created_with_other_members(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=3, B=4), group("west", "A"))
    assert shop.atf("x", scope=in_groups("west")) == 3
    shop.given(delete("west"), group("west", "B"))
    assert shop.atf("x", scope=in_groups("west")) == 4


def test_deleting_respects_the_etag(shop: Shop) -> None:
    shop.given(place("A"), group("west", "A"), change_group("west", name="West"))
    assert shop.refuses(delete("west", etag="2")) is Reason.ETAG_MISMATCH
    shop.gives(Deleted, delete("west", etag="3"))


def test_a_group_cannot_go_while_a_rule_names_it(shop: Shop) -> None:
    shop.given(place("A"), group("east"), rule("q", 1, group="east"))
    shop.given(group("west", "A"), rule("r", 1, group="west"))
    in_use = shop.refusal(delete("west"))
    assert in_use.reason is Reason.GROUP_IN_USE
    assert in_use.facts["rule_id"] == "r"
    shop.given(no_rule("r"))
    shop.gives(Deleted, delete("west"))


def test_the_number_of_groups_is_bounded() -> None:
    shop = Shop(Limits(groups_max=1)).given(group("west"))
    assert shop.refuses(group("east")) is Reason.CAPACITY_EXCEEDED
    assert shop.refuses(change_group("east", allow_missing=True)) is Reason.CAPACITY_EXCEEDED
    shop.given(group("west"), delete("west"), group("east"))
