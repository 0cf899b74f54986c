"""The first 2,000 invoices of a real seller, replayed against a real server process."""

import pytest

from benchmarks.online_retail import Plan, Report, replay_and_compare
from benchmarks.processes import fresh_domgrpc_server
from benchmarks.retail_invoices import DATA_FOLDER, INVOICES_FILE, STORES_FILE

INVOICE_COUNT = 2_000
SCARCE_INVOICE_COUNT = 700

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all((DATA_FOLDER / name).exists() for name in (INVOICES_FILE, STORES_FILE)),
        reason=f"{INVOICES_FILE} and {STORES_FILE} are not in ../shared/data",
    ),
]


def test_every_position_is_the_fold_of_the_invoices() -> None:
    report = replayed(Plan(invoice_count=INVOICE_COUNT))
    expect_lawful(report)
    assert report.replayed.refusal_count == 0


def test_scarce_stock_placed_by_the_server_is_never_oversold_nor_withheld() -> None:
    report = replayed(Plan(invoice_count=SCARCE_INVOICE_COUNT, scarce=True, anywhere=True))
    expect_lawful(report)
    assert report.replayed.refused["INSUFFICIENT_STOCK"] > 0


def replayed(plan: Plan) -> Report:
    with fresh_domgrpc_server() as server:
        return replay_and_compare(plan, server)


def expect_lawful(report: Report) -> None:
    assert report.differences == ()
    assert report.unlawful == ()
    assert report.position_count > 0
