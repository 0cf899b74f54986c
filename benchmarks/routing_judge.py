"""The judge of the solver: HiGHS, a general solver of mixed integer programmes, on the same orders.

    python -m benchmarks.routing_judge QUESTIONS ANSWERS

It runs in a process of its own. Questions and answers are files of msgpack: for each order its
package costs and, by line, (candidate, cost) of those that can send it whole; the answer is the
least cost. All in units of money, as floats, as such solvers want it.
"""

import subprocess
import sys
from pathlib import Path

import highspy
import msgspec
import numpy as np

from benchmarks.temporary_places import PROJECT, temporary_folder
from domgrpc.core.routing.instance import ArrayInstance

MICROS = 1e6
_SECONDS_MAX = 3_600


class Question(msgspec.Struct, frozen=True, array_like=True):
    """One order in plain figures."""

    package_costs: list[float]
    lines: list[list[tuple[int, float]]]


def question(instance: ArrayInstance) -> Question:
    """Ask about an order whose lines are sent whole."""
    lines = []
    for quantity, costs, units in zip(
        instance.quantities, instance.unit_costs, instance.available, strict=True
    ):
        able = np.flatnonzero(units >= quantity).tolist()
        lines.append([(one, quantity * int(costs[one]) / MICROS) for one in able])
    return Question((instance.package_costs / MICROS).tolist(), lines)


def judge(questions: list[Question]) -> list[float]:
    """Return the least costs, found in another process."""
    with temporary_folder() as folder:
        asked, answered = folder / "questions", folder / "answers"
        asked.write_bytes(msgspec.msgpack.encode(questions))
        subprocess.run(
            [sys.executable, "-m", "benchmarks.routing_judge", str(asked), str(answered)],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,  # a banner
            check=True,
            timeout=_SECONDS_MAX,
        )
        return msgspec.msgpack.decode(answered.read_bytes(), type=list[float])


def least_cost(asked: Question) -> float:
    """Solve min F y + c x with sum of x = 1 for each line and x <= y, y integer."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call] # highspy has few types
    solver.setOptionValue("output_flag", False)  # noqa: FBT003 - the name of the value
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 1e-9)
    solver.setOptionValue("threads", 1)
    count = len(asked.package_costs)
    pairs = [(line, one, cost) for line, able in enumerate(asked.lines) for one, cost in able]
    costs = np.array([*asked.package_costs, *(cost for _, _, cost in pairs)])
    total = len(costs)
    solver.addVars(total, np.zeros(total), np.ones(total))
    solver.changeColsCost(total, np.arange(total, dtype=np.int32), costs)
    whole = np.full(count, highspy.HighsVarType.kInteger)
    solver.changeColsIntegrality(count, np.arange(count, dtype=np.int32), whole)
    place = count
    for able in asked.lines:
        columns = np.arange(place, place + len(able), dtype=np.int32)
        solver.addRow(1.0, 1.0, len(able), columns, np.ones(len(able)))
        place += len(able)
    for number, (_, one, _) in enumerate(pairs):
        columns = np.array([one, count + number], dtype=np.int32)
        solver.addRow(0.0, highspy.kHighsInf, 2, columns, np.array([1.0, -1.0]))
    solver.run()
    return float(solver.getInfo().objective_function_value)


def main() -> None:
    """Answer the questions of a file."""
    asked = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=list[Question])
    answers = [least_cost(one) for one in asked]
    Path(sys.argv[2]).write_bytes(msgspec.msgpack.encode(answers))


if __name__ == "__main__":
    main()
