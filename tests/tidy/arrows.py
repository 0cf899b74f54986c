"""Who may import whom: the arrows of docs/architecture.md as data, and the checks on them.

A new folder, a new module of the core or a new library is a line in one of these tables, in the
change that brings it.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from tests.tidy.findings import Finding, Source

PACKAGE = "domgrpc"

# folder or module of the package -> what it may import of the others
ARROWS: dict[str, frozenset[str]] = {
    "core": frozenset(),
    "storage": frozenset(),
    "config": frozenset(),
    "v1": frozenset(),
    "engine": frozenset({"config", "core", "storage"}),
    "rpc": frozenset({"engine", "core", "config", "v1"}),
    "client": frozenset({"v1"}),
    "cli": frozenset({"client", "v1"}),
}

# Single modules that may import more, as prefixes of dotted names inside the package.
SERVER_SIDE = frozenset({"rpc.server", "config", "storage"})
ARROWS_OF_MODULES: dict[str, frozenset[str]] = {
    # Plain data that the composition passes down; it names the core's limits.
    "config": frozenset({"core.values"}),
    # `python -m domgrpc` is the command line.
    "__main__": frozenset({"cli.main"}),
    "cli.serve": SERVER_SIDE,
    # It shows the records of a log, which are events, without a server.
    # It repairs the files of a folder, without a server.
    "cli.repair": SERVER_SIDE,
    "cli.log": SERVER_SIDE | {"core.events", "engine.records"},
    "cli.demo": SERVER_SIDE,
}

# A module of the core imports only modules that stand before it.
CORE_ORDER = (
    "values",
    "moments",
    "routing",
    "rejections",
    "geography",
    "locations",
    "location_groups",
    "products",
    "supply",
    "waiting",
    "positions",
    "safety_stock",
    "network",
    "time_zones",
    "holiday_dates",
    "calendars",
    "opening_days",
    "zones",
    "carriers",
    "freight",
    "transit",
    "vectors",
    "profiles",
    "journeys",
    "transport",
    "logistics",
    "rule_expressions",
    "rule_facts",
    "rule_types",
    "rule_questions",
    "rule_conditions",
    "rule_masks",
    "rule_sets",
    "rule_checks",
    "rule_effects",
    "rule_set_book",
    "scopes",
    "offers",
    "stock_index",
    "stock_levels",
    "stock_changes",
    "delta_memory",
    "stock_draft",
    "inventory",
    "promises",
    "availability",
    "reservations",
    "reservation_book",
    "sourcing",
    "hold_draft",
    "plain_holds",
    "holds",
    "claims",
    "orders",
    "plans",
    "taken",
    "order_commands",
    "order_claims",
    "replan_proposals",
    "order_checks",
    "order_book",
    "journey_columns",
    "leg_questions",
    "leg_costs",
    "candidates",
    "dated_candidates",
    "order_legs",
    "obvious_plans",
    "leg_parts",
    "leg_solving",
    "leg_assignment",
    "leg_capacity",
    "leg_joins",
    "leg_answers",
    "leg_fitting",
    "plain_legs",
    "leg_weights",
    "leg_routing",
    "leg_explaining",
    "asked_units",
    "open_parcels",
    "order_facts",
    "planner",
    "order_planning",
    "order_works",
    "parcel_prices",
    "parcel_hosts",
    "open_legs",
    "open_figures",
    "open_costs",
    "open_work",
    "possible_orders",
    "package_limits",
    "order_explaining",
    "quotes",
    "order_placing",
    "order_editing",
    "order_changes",
    "order_steps",
    "replanning",
    "order_moves",
    "backorders",
    "dry_runs",
    "answers",
    "events",
    "changes",
    "state",
    "listings",
    "order_queries",
    "order_dispatch",
    "dispatch",
    "machine",
)

# The libraries that each part may use beside the standard library.
GRPC = frozenset({"grpc", "grpc_health", "grpc_reflection", "grpc_status", "google"})
LIBRARIES: dict[str, frozenset[str]] = {
    "core": frozenset({"cel", "holidays", "msgspec", "sortedcontainers"}),
    "core.routing": frozenset({"msgspec", "numpy"}),
    "core.vectors": frozenset({"numpy"}),
    "core.journey_columns": frozenset({"msgspec", "numpy"}),
    "core.plain_legs": frozenset({"msgspec", "numpy"}),
    "storage": frozenset({"crc32c", "xxhash"}),
    "config": frozenset({"msgspec"}),
    "engine": frozenset({"msgspec", "sortedcontainers", "structlog", "xxhash"}),
    "engine.backlog_search": frozenset({"msgspec", "numpy"}),
    "rpc": GRPC | {"crc32c", "msgspec", "structlog", "zipcodes"},
    "client": GRPC | {"msgspec"},
    "cli": GRPC | {"msgspec", "rich", "structlog", "typer", "zipcodes"},
}


def imported_modules(source: Source, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    """The line and full name of each module that the file imports, wherever it does so.

    `from a import b` names a.b where that is a module (one of `known`), else a.
    """
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            parent = "." * node.level + (node.module or "")
            names = (f"{parent}.{alias.name}" for alias in node.names)
            modules = {
                name if name in known or _is_generated(name) else parent: None for name in names
            }
            yield from ((node.lineno, module) for module in modules)


def check_arrows(source: Source, known: frozenset[str]) -> list[Finding]:
    """Imports inside the package go only along the arrows, and are absolute."""
    own = _inside(source.module)
    found = []
    for line, module in imported_modules(source, known):
        if module.startswith("."):
            found.append(source.finding("arrow", line, f"write {module} as an absolute import"))
        elif own and module.startswith(f"{PACKAGE}.") and not _allowed(own, _inside(module)):
            message = f"{own} must not import {_inside(module)}: see docs/architecture.md"
            found.append(source.finding("arrow", line, message))
    return found


def check_core_order(source: Source, known: frozenset[str]) -> list[Finding]:
    """Inside the core a module imports only those that stand before it in CORE_ORDER."""
    folder, _, own = _inside(source.module).partition(".")
    if folder != "core" or not own:
        return []
    if own.partition(".")[0] not in CORE_ORDER:
        message = f"give {own} its place in CORE_ORDER of tests/tidy/arrows.py"
        return [source.finding("core-order", 1, message)]
    place = CORE_ORDER.index(own.partition(".")[0])
    found = []
    for line, module in imported_modules(source, known):
        folder, _, name = _inside(module).partition(".")
        concept = name.partition(".")[0]
        if not module.startswith(f"{PACKAGE}.core.") or concept == own.partition(".")[0]:
            continue
        if concept not in CORE_ORDER[:place]:
            message = f"{own} stands before {concept} in the core and must not import it"
            found.append(source.finding("core-order", line, message))
    return found


def check_libraries(source: Source) -> list[Finding]:
    """A part of the package uses the standard library and the libraries listed for it."""
    inside = _inside(source.module)
    folder, _, name = inside.partition(".")
    # A folder of the core, or a single module, may have a row of its own.
    part = f"{folder}.{name.partition('.')[0]}"
    if part not in LIBRARIES:
        part = folder
    if part not in LIBRARIES:
        return []
    found = []
    for line, module in imported_modules(source, frozenset()):
        library = module.partition(".")[0]
        if library in {"", PACKAGE} or library in sys.stdlib_module_names:
            continue
        if library not in LIBRARIES[part]:
            found.append(source.finding("library", line, f"{part} must not use {library}"))
    return found


def check_package_root(source: Source, known: frozenset[str]) -> list[Finding]:
    """Nothing imports the root of the package, which holds nothing."""
    return [
        source.finding("package-root", line, f"import the part that you need, not {PACKAGE}")
        for line, module in imported_modules(source, known)
        if module == PACKAGE
    ]


def check_cycles(sources: Iterable[Source]) -> list[Finding]:
    """No module imports itself over others."""
    by_name = {source.module: source for source in sources}
    known = frozenset(by_name)
    graph = {
        name: {module for _, module in imported_modules(source, known) if module in known}
        for name, source in by_name.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring = error.args[1]
        return [by_name[ring[0]].finding("cycle", 1, " imports ".join(reversed(ring)))]
    return []


def _inside(module: str) -> str:
    """The name without the package before it; empty for what is not in the package."""
    return module.removeprefix(f"{PACKAGE}.") if module.startswith(f"{PACKAGE}.") else ""


def _is_generated(name: str) -> bool:
    return name.startswith(f"{PACKAGE}.v1.") and "_pb2" in name


def _allowed(own: str, other: str) -> bool:
    folder = other.partition(".")[0]
    own_folder = own.partition(".")[0]
    if folder == own_folder or folder in ARROWS.get(own_folder, frozenset()):
        return True
    extra = ARROWS_OF_MODULES.get(".".join(own.split(".")[:2]), frozenset())
    return any(other == prefix or other.startswith(f"{prefix}.") for prefix in extra)
