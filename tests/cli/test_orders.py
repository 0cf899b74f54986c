"""Orders from the command line: placed, seen, changed, explained and watched."""

from dataclasses import dataclass

import pytest

from domgrpc.cli.choices import Strategy
from tests.cli.running import Program, started_process

CHICAGO = "60614"
HOME = ("--zip", CHICAGO)


@dataclass(frozen=True)
class Shelf:
    """A SKU at a store, some units of it."""

    program: Program
    sku: str
    place: str

    def order(self, *words: str) -> str:
        """Place an order and return its id."""
        placed = self.program.read("order", "place", self.sku, "--zip", CHICAGO, *words)
        return str(placed["order_id"])


@pytest.fixture
def shelf(program: Program, place: str, sku: str) -> Shelf:
    """Put five units of a SKU into a store."""
    program.done("stock", "count", sku, place, "5")
    return Shelf(program, sku, place)


@pytest.mark.slow
def test_an_order_is_placed_shown_and_listed(shelf: Shelf) -> None:
    program = shelf.program
    words = (f"{shelf.sku}=2", "--zip", CHICAGO, "--customer", "anna", "--reference", "gift")
    placed = program.done("order", "place", *words, "--id", f"order-{shelf.sku}").output
    assert f"order-{shelf.sku}/1   {shelf.place}   2 x {shelf.sku}" in placed
    assert "reference    gift" in placed
    shown = program.done("order", "show", f"order-{shelf.sku}").output
    assert "\nhistory\n" in shown
    assert CHICAGO in shown
    listed = program.read("order", "list", "--sku", shelf.sku, "--status", "open")
    assert [order["order_id"] for order in listed["orders"]] == [f"order-{shelf.sku}"]
    assert shelf.place in program.done("order", "list", "--location", shelf.place).output


@pytest.mark.slow
def test_orders_are_listed_by_when_they_were_placed(shelf: Shelf) -> None:
    program = shelf.program
    order_id = shelf.order()
    placed = program.read("order", "show", order_id)["create_time"]
    for words, found in (
        (("--since", placed), [order_id]),
        (("--before", placed), []),
        (("--since", "2020-01-01", "--before", "2999-01-01"), [order_id]),
        (("--since", "2999-01-01"), []),
    ):
        listed = program.read("order", "list", "--sku", shelf.sku, *words)
        assert [order["order_id"] for order in listed["orders"]] == found


def test_a_time_of_a_list_that_is_none_is_told(program: Program) -> None:
    ended = program.run("order", "list", "--since", "yesterday")
    assert (ended.exit_code, "--since 'yesterday' is no time" in ended.errors) == (2, True)


@pytest.mark.slow
def test_work_in_the_parcel_of_another_order_says_in_whose(shelf: Shelf) -> None:
    customer = ("--customer", f"customer-{shelf.sku}")
    host, guest = shelf.order(*customer), shelf.order(*customer)
    alone = shelf.program.done("order", "show", host).output
    assert "in parcel of" not in alone
    shown = shelf.program.done("order", "show", guest).output
    assert "in parcel of" in shown
    assert f"{host}/1" in shown


@pytest.mark.slow
def test_what_is_collected_says_until_when_it_waits(shelf: Shelf) -> None:
    fetched = shelf.program.done("order", "place", f"{shelf.sku}@{shelf.place}:pickup").output
    assert "collect by" in fetched
    sent = shelf.program.done("order", "place", shelf.sku, *HOME).output
    assert "collect by" not in sent
    assert "1970" not in sent
    both = (f"{shelf.sku}@{shelf.place}:pickup", shelf.sku, *HOME)
    assert "1970" not in shelf.program.done("order", "place", *both).output


@pytest.mark.slow
def test_each_line_may_travel_its_own_way(shelf: Shelf) -> None:
    words = (f"{shelf.sku}=2@{shelf.place}:pickup", shelf.sku, "--zip", CHICAGO)
    order = shelf.program.read("order", "place", *words)
    assert [work["delivery_method"] for work in order["fulfillment_orders"]] == [
        "PICKUP",
        "SHIP_TO_HOME",
    ]


@pytest.mark.slow
def test_what_is_quoted_is_booked_by_its_token(shelf: Shelf) -> None:
    program = shelf.program
    ways = ("--method", "ship-to-home", "--method", "local-delivery")
    words = (shelf.sku, "--zip", CHICAGO)
    quote = program.read("quote", *words, *ways)
    token = quote["options"][0]["quote_token"]
    said = program.done("quote", *words, *ways).output
    assert "1 SHIP_TO_HOME" in said
    assert "good until " in said
    method = quote["options"][0]["delivery_method"].lower().replace("_", "-")
    order = program.read("order", "place", *words, "--quote", token, "--method", method)
    assert order["fulfillment_orders"][0]["location_id"] == shelf.place


@pytest.mark.slow
def test_a_quote_of_an_unknown_sku_is_refused(shelf: Shelf) -> None:
    ended = shelf.program.run("quote", f"{shelf.sku}-x", "--zip", CHICAGO)
    assert (ended.exit_code, ended.errors[:22]) == (1, "error: SKU_NOT_FOUND: ")


@pytest.mark.slow
def test_a_quote_says_of_each_method_what_is_short(shelf: Shelf) -> None:
    program = shelf.program
    lacking = program.done("quote", f"{shelf.sku}=7", "--zip", CHICAGO).output
    assert lacking.splitlines()[0].endswith("units short")
    assert lacking.splitlines()[2].endswith(" 2")
    far = ("--to", "64.8,-147.7")
    words = (f"{shelf.sku}=7", *far, "--method", "drop-ship", "--method", "pickup")
    ended = program.run("quote", *words)
    assert ended.exit_code == 1
    dropped, fetched = ended.output.splitlines()
    assert dropped.startswith(f"DROP_SHIP: nothing can be promised: short of 7 x {shelf.sku} (")
    assert "cannot do the method" in dropped
    assert fetched == "PICKUP: nothing can be promised: no store near enough does it"
    document = program.run("-o", "json", "quote", *words).json
    assert [miss["delivery_method"] for miss in document["misses"]] == ["DROP_SHIP", "PICKUP"]


@pytest.mark.slow
def test_an_outdated_quote_is_told_with_what_could_be_booked_now(shelf: Shelf) -> None:
    program = shelf.program
    words = (f"{shelf.sku}=3", "--zip", CHICAGO)
    token = program.read("quote", *words)["options"][0]["quote_token"]
    program.done("stock", "count", shelf.sku, shelf.place, "2")
    ended = program.run("order", "place", *words, "--quote", token)
    assert (ended.exit_code, ended.errors[:23]) == (1, "error: QUOTE_OUTDATED: ")
    assert f"\nas things stand: {shelf.place}: 2 x {shelf.sku}; cost " in ended.errors
    assert "; 1 short line\ntry: `domgrpc quote` " in ended.errors


@pytest.mark.slow
def test_an_unknown_zip_code_is_named(shelf: Shelf) -> None:
    ended = shelf.program.run("order", "place", shelf.sku, "--zip", "99999")
    assert ended.exit_code == 2
    assert "is '99999', which is no known US ZIP code" in ended.errors


@pytest.mark.slow
def test_a_dry_run_places_nothing(shelf: Shelf) -> None:
    words = (shelf.sku, "--zip", CHICAGO, "--dry-run")
    assert shelf.program.done("order", "place", *words).output.startswith("dry run: nothing")
    assert not shelf.program.read("order", "list", "--sku", shelf.sku)["orders"]


@pytest.mark.slow
def test_an_order_is_changed_held_worked_on_and_cancelled(shelf: Shelf) -> None:
    program = shelf.program
    order_id = shelf.order()
    edited = program.read("order", "edit", order_id, "1=3", "--add", f"{shelf.sku}=1")
    assert [line["quantity"] for line in edited["lines"]] == [3, 1]
    assert program.read("order", "hold", order_id, "fraud")["status"] == "ON_HOLD"
    assert "FRAUD" in program.done("order", "show", order_id).output
    assert program.read("order", "release", order_id, "fraud")["status"] == "OPEN"
    cancelled = program.read("order", "cancel", order_id, "1=1", "--reason", "too many")
    assert cancelled["lines"][0]["cancelled_quantity"] == 1
    work = cancelled["fulfillment_orders"][0]["fulfillment_order_id"]
    program.done("order", "advance", work, "released")
    refused = program.run("order", "cancel", order_id, "1=1")
    assert (refused.exit_code, refused.errors[:22]) == (1, "error: LINE_RELEASED: ")
    shipped = program.read("order", "advance", work, "shipped")
    assert shipped["fulfillment_orders"][0]["state"] == "SHIPPED"


@pytest.mark.slow
def test_a_decision_is_explained_with_what_a_location_lacked(
    shelf: Shelf, program: Program
) -> None:
    program.done("locations", "create", f"far-{shelf.place}", "--type", "store", "--at", "47,-122")
    order_id = shelf.order()
    words = ("order", "explain", order_id, "--location", f"far-{shelf.place}")
    said = program.done(*words, "--location", shelf.place).output
    assert "proven: no plan costs less" in said
    assert "1 decision remembered" in said
    assert f"far-{shelf.place} " in said
    assert said.endswith(f"{shelf.place} is in the plan\n")
    assert program.read(*words)["decision_count"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("strategy", list(Strategy))
def test_an_order_is_simulated_by_every_strategy(shelf: Shelf, strategy: Strategy) -> None:
    words = ("simulate", shelf.sku, "--zip", CHICAGO, "--strategy", strategy.value)
    assert shelf.program.read(*words)["packages"][0]["location_id"] == shelf.place


@pytest.mark.slow
def test_an_order_is_simulated_on_stock_that_is_not_there(shelf: Shelf) -> None:
    stock = f"{shelf.sku}=9@{shelf.place}"
    said = shelf.program.done("simulate", f"{shelf.sku}=9", "--zip", CHICAGO, "--stock", stock)
    assert said.output.startswith("1 package for ")


@pytest.mark.slow
def test_an_order_is_simulated_as_it_would_be_planned_again(shelf: Shelf) -> None:
    order_id = shelf.order()
    said = shelf.program.done("simulate", "--order", order_id).output
    assert said.startswith("1 package for ")
    words = ("simulate", "--order", order_id, "--strategy", "fastest")
    assert shelf.program.read(*words)["packages"][0]["location_id"] == shelf.place


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--zip", CHICAGO), ("--method", "pickup"), ("--complete",)])
def test_an_order_that_is_simulated_has_its_own_terms(
    program: Program, words: tuple[str, ...]
) -> None:
    ended = program.run("simulate", "--order", "web-1", *words)
    assert (ended.exit_code, "--order" in ended.errors) == (2, True)


@pytest.mark.slow
def test_items_or_an_order_are_simulated_not_both(program: Program) -> None:
    ended = program.run("simulate", "kettle", "--order", "web-1")
    assert (ended.exit_code, "one of the two" in ended.errors) == (2, True)


@pytest.mark.slow
def test_a_store_hears_of_its_work_and_of_its_end(shelf: Shelf) -> None:
    program = shelf.program
    before = program.read("status")["revision"]
    order_id = shelf.order()
    program.done("order", "cancel", order_id)
    words = ("order", "watch", "--location", shelf.place, "--after", str(before), "--count", "2")
    said = program.done(*words).output.splitlines()
    assert said[0].endswith(f"{order_id}  PLACED, OPEN")
    assert said[1].startswith(f"  {order_id}/1  {shelf.place}  1 x {shelf.sku}, SHIP_TO_HOME, OPEN")
    assert said[2].endswith(f"{order_id}  CANCELLED, CANCELLED")
    heard = program.done("-o", "json", *words).json_lines
    assert [line["change"]["kind"] for line in heard] == ["PLACED", "CANCELLED"]


@pytest.mark.slow
def test_a_watch_of_a_snapshot_ends_after_so_many_orders(shelf: Shelf) -> None:
    order_id = shelf.order()
    said = shelf.program.done("order", "watch", order_id, "--snapshot", "--count", "1").output
    assert said.splitlines()[0].endswith(f"{order_id}  OPEN")


@pytest.mark.slow
def test_a_watch_says_what_it_waits_for(program: Program) -> None:
    waiting = ("order", "watch", "nobody", "--after", "999999")
    with started_process(*waiting, server=program.server) as watch:
        assert watch.stderr is not None
        assert watch.stderr.readline() == "there is no order 'nobody' so far; waiting for it\n"
        assert watch.stderr.readline().endswith("; waiting for one after 999999\n")
    with started_process("watch", "--after", "999999", server=program.server) as watch:
        assert watch.stderr is not None
        assert watch.stderr.readline().startswith("the newest revision is ")


@pytest.mark.slow
def test_orders_at_a_place_that_is_not_there_are_not_listed(program: Program) -> None:
    ended = program.run("order", "list", "--location", "nowhere")
    assert (ended.exit_code, ended.errors[:25]) == (1, "error: LOCATION_NOT_FOUND")


@pytest.mark.slow
def test_orders_that_somebody_should_look_at_are_listed(shelf: Shelf) -> None:
    shelf.order()
    short = shelf.program.read("order", "place", f"{shelf.sku}=9", *HOME)["order_id"]
    listed = shelf.program.read("order", "list", "--sku", shelf.sku, "--attention")["orders"]
    assert [order["order_id"] for order in listed] == [short]


@pytest.mark.slow
def test_an_edit_says_whether_anything_is_different(shelf: Shelf) -> None:
    order_id = shelf.order()
    same = shelf.program.done("order", "edit", order_id, "1=1")
    assert same.errors == "nothing is different: the order stays as it was\n"
    assert shelf.program.done("order", "edit", order_id, "1=2").errors == ""
    ended = shelf.program.run("order", "edit", order_id)
    assert (ended.exit_code, "say what to change" in ended.errors) == (2, True)


@pytest.mark.slow
def test_a_cancelled_order_says_what_goes_on(shelf: Shelf) -> None:
    program = shelf.program
    placed = program.read("order", "place", shelf.sku, f"{shelf.sku}@{shelf.place}:pickup", *HOME)
    work = placed["fulfillment_orders"][0]["fulfillment_order_id"]
    program.done("order", "advance", work, "released")
    told = program.done("order", "cancel", placed["order_id"])
    assert told.errors == (
        f"not cancelled, as a location already works on it: 1 x {shelf.sku} (line 1)\n"
    )


@pytest.mark.slow
def test_what_is_weighed_is_told_apart_from_what_is_paid(shelf: Shelf) -> None:
    program = shelf.program
    words = (shelf.sku, *HOME, "--promise", "2020-01-01")
    placed = program.read("order", "place", *words)
    (work,) = placed["fulfillment_orders"]
    paid = (work["package_cost_micros"] + work["units_cost_micros"]) / 1_000_000
    weighed = work["price_micros"] / 1_000_000
    assert weighed > 1
    said = program.done("order", "show", placed["order_id"]).output
    assert f"\npaid       {paid:,.2f}\nweighed    {weighed:,.2f}\n" in said
    assert f" for {paid:,.2f} paid and " in program.done("simulate", *words).output
    heading, _, row, *_ = program.done("quote", *words).output.splitlines()
    assert heading.split()[2:4] == ["paid", "weighed"]
    assert f"{paid:,.2f}" in row


@pytest.mark.slow
def test_an_explanation_of_several_ways_names_the_one_it_is_about(shelf: Shelf) -> None:
    words = ("order", "place", shelf.sku, f"{shelf.sku}@{shelf.place}:pickup", *HOME)
    order_id = shelf.program.read(*words)["order_id"]
    explained = ("order", "explain", order_id, "--location", shelf.place)
    said = shelf.program.done(*explained).output
    assert said.endswith(f"{shelf.place}, SHIP_TO_HOME: is in the plan\n")
    found = shelf.program.read(*explained)["locations"][0]
    assert (found["is_used"], found["delivery_method"]) == (True, "SHIP_TO_HOME")


def test_a_watch_at_a_place_that_is_not_there_is_refused(program: Program) -> None:
    ended = program.run("order", "watch", "--location", "nowhere", "--count", "1")
    assert (ended.exit_code, ended.errors[:25]) == (1, "error: LOCATION_NOT_FOUND")


@pytest.mark.slow
def test_a_shortage_is_told_with_where_else_it_is(shelf: Shelf) -> None:
    words = (f"{shelf.sku}=9", "--zip", CHICAGO, "--shortage", "refuse")
    ended = shelf.program.run("order", "place", *words)
    assert ended.exit_code == 1
    assert f"5 at {shelf.place}" in ended.errors


@pytest.mark.slow
def test_the_backlog_is_searched_and_nothing_changes_unless_asked(shelf: Shelf) -> None:
    shelf.order()
    said = shelf.program.done("backlog", "--seconds", "1").output
    assert " as planned; " in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("place", "a=x"), "the quantity of a is 'x'"),
        (("place", "a=0"), "the quantity of a is '0': write a whole number from 1 on"),
        (("edit", "web-1", "1=-1"), "the quantity of line 1 is '-1': write a whole number from 0"),
        (("cancel", "web-1", "1=0"), "the quantity of line 1 is '0': write a whole number from 1"),
        (("place", "a@chicago:picup"), "'picup' is no method, did you mean 'pickup'?"),
        (("place", "a", "--zip", "60614", "--to", "1,2"), "exclude each other"),
        (("edit", "web-1", "kettle"), "'kettle' is no LINE=QUANTITY"),
        (("advance", "web-1", "released"), "'web-1' is no ORDER/NUMBER"),
    ],
)
def test_what_is_not_well_formed_is_told(
    program: Program, words: tuple[str, ...], said: str
) -> None:
    ended = program.run("order", *words)
    assert ended.exit_code == 2
    assert said in ended.errors
