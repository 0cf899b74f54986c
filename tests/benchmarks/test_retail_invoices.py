"""How rows of the retail set become invoices, and where their SKUs lie."""

import gzip
from pathlib import Path

import pytest

from benchmarks.retail_invoices import Invoice, Kind, read_invoices
from benchmarks.retail_stock import Shelves, opening_stock

HEADER = "invoice,stock_code,description,quantity,invoice_date,unit_price,customer_id,country"
STORES = [f"store-{number}" for number in range(20)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "invoices.csv.gz"


def write(path: Path, *rows: str) -> None:
    lines = [HEADER, *(f"{row},2010-12-01T08:26:00,2.55,17850,United Kingdom" for row in rows)]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


def test_a_number_with_c_is_put_back_and_a_negative_line_written_off(path: Path) -> None:
    write(path, "1,85123A,x,6", "C2,85123A,x,-4", "3,85123A,damaged,-2")
    assert read_invoices(path).invoices == (
        Invoice("1", Kind.SALE, (("85123A", 6),)),
        Invoice("C2", Kind.PUT_BACK, (("85123A", 4),)),
        Invoice("3", Kind.WRITE_OFF, (("85123A", 2),)),
    )


def test_codes_that_differ_by_case_are_different_skus(path: Path) -> None:
    write(path, "1,85123A,x,6", "1,85123a,x,1")
    assert read_invoices(path).invoices[0].lines == (("85123A", 6), ("85123a", 1))


def test_lines_that_are_no_goods_are_left_out_and_counted(path: Path) -> None:
    write(path, "1,POST,POSTAGE,1", "1,85123A,x,6", "1,C2,CARRIAGE,1", "1,22960,none,0")
    read = read_invoices(path)
    assert (read.skipped_line_count, read.line_count) == (3, 1)


def test_an_invoice_may_come_back_later_in_the_file(path: Path) -> None:
    write(path, "1,10001,x,6", "2,10001,x,1", "1,10002,x,2")
    assert read_invoices(path).invoices[0].lines == (("10001", 6), ("10002", 2))


def test_the_first_invoices_end_where_another_begins(path: Path) -> None:
    write(path, "1,10001,x,6", "POSTAGE ONLY,POST,x,1", "3,10001,x,1")
    read = read_invoices(path, 2)
    assert [invoice.number for invoice in read.invoices] == ["1"]


def test_a_sku_lies_in_a_few_stores_and_always_the_same() -> None:
    skus = [str(number) for number in range(10_000, 10_200)]
    spread = {sku: Shelves(STORES, seed=1).stores_of(sku) for sku in skus}
    assert all(1 <= len(stores) <= 5 for stores in spread.values())
    assert {store for stores in spread.values() for store in stores} == set(STORES)
    assert spread == {sku: Shelves(STORES, seed=1).stores_of(sku) for sku in skus}
    assert spread != {sku: Shelves(STORES, seed=2).stores_of(sku) for sku in skus}


def test_plenty_is_enough_at_every_store_and_scarce_is_less_than_all_that_is_sold() -> None:
    shelves = Shelves(STORES, seed=1)
    sale = Invoice("1", Kind.SALE, (("10001", 100),))
    back = Invoice("C2", Kind.PUT_BACK, (("10002", 7),))
    plenty = opening_stock([sale, back], shelves, scarce=False)
    scarce = opening_stock([sale, back], shelves, scarce=True)
    assert {units for (sku, _), units in plenty.items() if sku == "10001"} == {100}
    assert 0 < sum(units for (sku, _), units in scarce.items() if sku == "10001") < 100
    assert {units for (sku, _), units in plenty.items() if sku == "10002"} == {0}
