"""Ids in files that people would take for the same are not taken for two."""

from pathlib import Path

from domgrpc.cli.exits import ExitCode
from tests.cli.running import Program
from tests.cli.test_load import HEADER, rejected


def test_ids_of_stock_with_blanks_around_them_are_refused(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(HEADER + f" {sku},{place},1\n{sku},{place} ,1\n{sku},{place},1\n")
    ended = program.run("-o", "json", "load", file)
    assert (ended.exit_code, ended.json["applied"]) == (ExitCode.REJECTED_ROWS, 1)
    assert {row["line"]: row["reason"] for row in rejected(file)} == dict.fromkeys(
        "23", "INVALID_FIELD"
    )
