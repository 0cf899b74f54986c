"""How items of an order are typed in, and how what was decided is put into words."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from domgrpc.cli.choices import Method, number_of
from domgrpc.cli.order_options import item_of
from domgrpc.cli.parsing import moment_or_span
from domgrpc.cli.plan_tables import FILTERS, print_leg, removed_text
from domgrpc.core.leg_questions import FILTER_WORDS
from domgrpc.v1.plan_pb2 import LegDecision


def test_a_gap_below_a_cent_is_no_percentage(capsys: pytest.CaptureFixture[str]) -> None:
    for bound, said in (
        (9_999_999, "no plan is cheaper by as much as 0.01\n"),
        (9_985_000, "no plan costs less than 9.98: this is at most 0.02 (0.2%) dearer\n"),
    ):
        print_leg(LegDecision(cost_micros=10_000_000, lower_bound_micros=bound))
        assert said in capsys.readouterr().out


@pytest.mark.parametrize("method", ["PICKUP", "CURBSIDE", "SHIP_TO_HOME"])
def test_of_what_is_collected_other_stores_are_not_those_asked_for(method: str) -> None:
    leg = LegDecision(delivery_method=f"DELIVERY_METHOD_{method}")
    leg.removed.add(filter="scope", location_count=2)
    shipped = method == "SHIP_TO_HOME"
    words = "outside the scope" if shipped else "not at the store asked for"
    assert removed_text(leg) == f"2 {words}"


def test_refusals_and_tables_say_the_same_of_what_filters_removed() -> None:
    assert FILTERS == FILTER_WORDS


@pytest.mark.parametrize(
    ("text", "sku", "quantity", "method", "store"),
    [
        ("a", "a", 1, None, ""),
        ("a=2", "a", 2, None, ""),
        ("a=2@s:pickup", "a", 2, Method.PICKUP, "s"),
        ("a:ship-to-home", "a", 1, Method.SHIP_TO_HOME, ""),
        ("a:b=3@s:1", "a:b", 3, None, "s:1"),
        ("a@b@s", "a@b", 1, None, "s"),
        ("a=2*19.99@s:pickup", "a", 2, Method.PICKUP, "s"),
        ("a*b", "a*b", 1, None, ""),
    ],
)
def test_an_item_is_read_from_its_end(
    text: str, sku: str, quantity: int, method: Method | None, store: str
) -> None:
    item = item_of(text)
    assert (item.sku, item.quantity, item.location_id) == (sku, quantity, store)
    assert item.delivery_method == number_of(method)


def test_a_price_stands_behind_the_quantity() -> None:
    assert item_of("a=2*19.99").unit_price_micros == 19_990_000
    assert item_of("a=2").unit_price_micros == 0
    for text in ("a=2*cheap", "a=2*-1", "a=2*0.0000001", "a=2*", "a=2*NaN", "a=2*Infinity"):
        with pytest.raises(typer.BadParameter, match="the price of a is"):
            item_of(text)


def test_a_promise_may_be_counted_from_now() -> None:
    before = datetime.now(UTC)
    promised = moment_or_span("2d", "--promise")
    assert before <= promised - timedelta(days=2) <= datetime.now(UTC)
    assert moment_or_span("2030-01-31", "--promise") == datetime(2030, 1, 31, tzinfo=UTC)


def test_a_quantity_that_is_no_number_is_refused() -> None:
    with pytest.raises(typer.BadParameter):
        item_of("a=b")
