"""Tables for people: aligned by their first rows, written as the rows come, never cut."""

import io

from domgrpc.cli.tables import Column, Table, print_table

COLUMNS = (
    Column("sku", lambda row: row[0]),
    Column("units", lambda row: row[1], is_number=True),
    Column("name", lambda row: row[2]),
)


def printed(*rows: tuple[str, int, str]) -> list[str]:
    """Return the lines of a table."""
    file = io.StringIO()
    print_table(COLUMNS, rows, file=file)
    return file.getvalue().splitlines()


def test_columns_are_aligned_and_no_line_ends_with_blanks() -> None:
    assert printed(("kettle", 1200, "Kettle"), ("mug", 5, "")) == [
        "sku      units   name",
        "─" * 23,
        "kettle   1,200   Kettle",
        "mug          5",
    ]


def test_a_long_id_is_never_cut() -> None:
    sku = "x" * 500
    assert printed((sku, 1, ""))[2].startswith(sku)


def test_a_character_that_takes_two_cells_counts_as_two() -> None:
    assert [line.index("5") for line in printed(("壺", 5, ""), ("mug", 5, ""))[2:]] == [9, 10]


def test_what_would_steer_the_terminal_is_not_printed() -> None:
    assert printed(("mug", 5, "a\x1b[31mb"))[2].endswith("a [31mb")


def test_without_rows_it_says_so() -> None:
    assert printed() == ["nothing found"]


def test_rows_are_written_while_they_come() -> None:
    file = io.StringIO()
    table = Table(COLUMNS, file)
    for number in range(1_000):
        table.add((f"sku-{number}", number, ""))
    assert file.getvalue().count("\n") == 1_002
    table.add(("a-very-long-sku-behind-the-first-rows", 1, "x"))
    table.end()
    last = file.getvalue().splitlines()[-1]
    assert last.split() == ["a-very-long-sku-behind-the-first-rows", "1", "x"]
