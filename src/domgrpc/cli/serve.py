# ruff: noqa: ARG001 - the arguments of serve are flags; its body takes them all by their names
"""`domgrpc serve`: runs the server, with every setting as a flag.

Ends with 70 for a fault of the disk, 71 for damaged files and 73 for anything that the operator
can set right: docs/operating.md.
"""

from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec.structs import replace

from domgrpc.cli.exits import CANNOT_LISTEN, INVALID_SETTING, Ended, ExitCode, storage_reason
from domgrpc.config import Settings

_DEFAULT: Final = Settings(data_dir=Path())
_LIMIT: Final = _DEFAULT.limits


def serve(
    context: typer.Context,
    *,
    data_dir: Annotated[
        str, typer.Option(help="Folder of the log and the snapshots.", envvar="DOMGRPC_DATA_DIR")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _DEFAULT.host,
    port: Annotated[int, typer.Option(help="Port; 0 picks a free one.")] = _DEFAULT.port,
    health_port: Annotated[
        int | None,
        typer.Option(help="Port of health alone, which answers also while the disk hangs."),
    ] = _DEFAULT.health_port,
    call_log: Annotated[
        str, typer.Option(help="Which calls are logged: errors, all or off.")
    ] = _DEFAULT.call_log,
    log_format: Annotated[
        str, typer.Option(help="auto (colour on a terminal, else JSON), json or console.")
    ] = _DEFAULT.log_format,
    drain_seconds: Annotated[
        float, typer.Option(help="How long calls may take to end when the server stops.")
    ] = _DEFAULT.drain_seconds,
    tls_certificate_file: Annotated[Path | None, typer.Option(help="Certificate, PEM.")] = None,
    tls_key_file: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    tls_client_ca_file: Annotated[
        Path | None,
        typer.Option(help="Clients must show a certificate of this authority."),
    ] = None,
    queue_max: Annotated[
        int, typer.Option(help="Operations that may wait for the writer.")
    ] = _DEFAULT.queue_max,
    queue_seconds_max: Annotated[
        float, typer.Option(help="And how long they may take together.")
    ] = _DEFAULT.queue_seconds_max,
    client_operations_per_second_max: Annotated[
        int, typer.Option(help="Operations of one client in a second; 0: any number.")
    ] = _DEFAULT.client_operations_per_second_max,
    pending_calls_max: Annotated[
        int, typer.Option(help="Calls that may wait inside gRPC.")
    ] = _DEFAULT.pending_calls_max,
    commit_wait_ms_max: Annotated[
        float,
        typer.Option(help="How long a commit may wait for calls under way."),
    ] = _DEFAULT.commit_wait_ms_max,
    receive_size_bytes_max: Annotated[
        int, typer.Option(help="Largest request message.")
    ] = _DEFAULT.receive_size_bytes_max,
    send_size_bytes_max: Annotated[
        int, typer.Option(help="Largest answer.")
    ] = _DEFAULT.send_size_bytes_max,
    handshake_seconds: Annotated[
        float, typer.Option(help="How long a new connection may take to its first words.")
    ] = _DEFAULT.handshake_seconds,
    max_connection_idle_seconds: Annotated[
        float, typer.Option(help="Connections without a call are closed after so long.")
    ] = _DEFAULT.max_connection_idle_seconds,
    max_connection_age_seconds: Annotated[
        int, typer.Option(help="Connections are renewed after so long.")
    ] = _DEFAULT.max_connection_age_seconds,
    watch_mark_seconds: Annotated[
        float,
        typer.Option(help="How often a watch without news gets a mark."),
    ] = _DEFAULT.watch_mark_seconds,
    feed_records_max: Annotated[
        int, typer.Option(help="Records kept in memory for watchers.")
    ] = _DEFAULT.feed_records_max,
    feed_size_bytes_max: Annotated[
        int, typer.Option(help="And their bytes.")
    ] = _DEFAULT.feed_size_bytes_max,
    snapshot_log_bytes: Annotated[
        int,
        typer.Option(help="A snapshot is written when the log grew by so much; 0: never."),
    ] = _DEFAULT.snapshot_log_bytes,
    scrub_interval_seconds: Annotated[
        float, typer.Option(help="How often the older files are read again; 0: never.")
    ] = _DEFAULT.scrub_interval_seconds,
    segment_size_bytes: Annotated[
        int, typer.Option(help="Size of a segment of the log.")
    ] = _DEFAULT.segment_size_bytes,
    locations_max: Annotated[int, typer.Option(help="Locations.")] = _LIMIT.locations_max,
    groups_max: Annotated[int, typer.Option(help="Location groups.")] = _LIMIT.groups_max,
    rules_max: Annotated[int, typer.Option(help="Safety stock rules.")] = _LIMIT.rules_max,
    rule_sets_max: Annotated[int, typer.Option(help="Routing rule sets.")] = _LIMIT.rule_sets_max,
    skus_max: Annotated[int, typer.Option(help="SKUs.")] = _LIMIT.skus_max,
    sources_max: Annotated[int, typer.Option(help="Names of stock feeds.")] = _LIMIT.sources_max,
    rate_cards_max: Annotated[int, typer.Option(help="Rate cards.")] = _LIMIT.rate_cards_max,
    lanes_max: Annotated[int, typer.Option(help="Lanes.")] = _LIMIT.lanes_max,
    calendars_max: Annotated[int, typer.Option(help="Calendars.")] = _LIMIT.calendars_max,
    held_per_client_max: Annotated[
        int, typer.Option(help="Open holds of one client.")
    ] = _LIMIT.held_per_client_max,
    reservations_max: Annotated[
        int, typer.Option(help="Reservations that are remembered.")
    ] = _LIMIT.reservations_max,
    finished_reservations_max: Annotated[
        int, typer.Option(help="Finished ones among them.")
    ] = _LIMIT.finished_reservations_max,
    orders_max: Annotated[
        int, typer.Option(help="Orders that are remembered.")
    ] = _LIMIT.orders_max,
    finished_orders_max: Annotated[
        int, typer.Option(help="Finished ones among them.")
    ] = _LIMIT.finished_orders_max,
    kept_answers_max: Annotated[
        int, typer.Option(help="Answers kept for retries.")
    ] = _LIMIT.kept_answers_max,
    kept_answer_age_ms: Annotated[
        int, typer.Option(help="And for how many milliseconds.")
    ] = _LIMIT.kept_answer_age_ms,
    remembered_deltas_max: Annotated[
        int,
        typer.Option(help="Changes of stock remembered for counts of an earlier time."),
    ] = _LIMIT.remembered_deltas_max,
) -> None:
    """Run the server; SIGTERM or SIGINT drain it."""
    if not data_dir:
        # As a path it would be the current folder.
        problem = "--data-dir is empty: name the folder of the log and the snapshots"
        raise Ended(INVALID_SETTING, problem, code=ExitCode.CONFIGURATION)
    given = {**context.params, "data_dir": Path(data_dir)}
    limits = replace(_LIMIT, **{name: given[name] for name in _LIMIT.__struct_fields__})
    names = (name for name in _DEFAULT.__struct_fields__ if name != "limits")
    run(replace(_DEFAULT, limits=limits, **{name: given[name] for name in names}))


def run(settings: Settings) -> None:
    """Serve, and end the program with the code of what went wrong."""
    import asyncio

    from domgrpc.config import InvalidSetting
    from domgrpc.rpc import server
    from domgrpc.storage.errors import StorageError

    try:
        asyncio.run(server.serve(settings))
    except (InvalidSetting, server.ListenFailed) as error:
        reason = INVALID_SETTING if isinstance(error, InvalidSetting) else CANNOT_LISTEN
        raise Ended(reason, str(error), code=ExitCode.CONFIGURATION) from None
    except StorageError as error:
        raise Ended(storage_reason(error), str(error), code=error.exit_code) from None
    except MemoryError as error:
        # Outside of the engine, or again while a server goes down that has failed already.
        message = str(server.EngineFailed(error))
        raise Ended(storage_reason(error), message, code=ExitCode.STORAGE_FAULT) from None
    except server.EngineFailed as failed:
        code = getattr(failed.fault, "exit_code", ExitCode.STORAGE_FAULT)
        raise Ended(storage_reason(failed.fault), str(failed), code=code) from None
