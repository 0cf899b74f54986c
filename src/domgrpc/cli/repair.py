"""`domgrpc log truncate` and `domgrpc log salvage`: what to do when a log is damaged.

Both are for an operator who has a copy of the folder and no other way: docs/operating.md.
"""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from domgrpc.cli.log import FolderArgument, end_with, open_folder
from domgrpc.cli.session import session_of

SEGMENT_BYTES: Final = 64 * 1024 * 1024


def truncate(
    context: typer.Context,
    folder: FolderArgument,
    *,
    at: Annotated[int, typer.Option(help="The last revision that is kept.", metavar="REVISION")],
    confirm: Annotated[
        str, typer.Option(help="The digest of the plan; without it only the plan is shown.")
    ] = "",
) -> None:
    """Give up everything behind a revision: shows the plan, then does it with --confirm."""
    from domgrpc.cli.output import print_facts, print_json
    from domgrpc.storage import repair
    from domgrpc.storage.errors import StorageError

    try:
        disk = open_folder(folder)
        plan = repair.truncate(disk, at, confirm) if confirm else repair.plan_truncation(disk, at)
    except StorageError as error:
        end_with(error)
    facts = {
        "done": bool(confirm),
        "last_revision_kept": plan.sequence,
        "segment": plan.segment_name,
        "offset_bytes": plan.offset_bytes,
        "put_aside": list(plan.given_up),
        "damage": str(plan.damage) if plan.damage is not None else None,
        "digest": plan.digest,
    }
    if session_of(context).as_json:
        print_json(facts)
        return
    shown = {**facts, "done": "yes" if confirm else "no: repeat with --confirm and the digest"}
    print_facts({**shown, "put_aside": ", ".join(plan.given_up) or "nothing"})


def salvage(
    context: typer.Context,
    folder: FolderArgument,
    target: Annotated[Path, typer.Argument(metavar="NEW_FOLDER", help="An empty or new folder.")],
) -> None:
    """Save what can be read of a damaged folder into a new one, which a server can start on."""
    from domgrpc.cli.output import print_facts, print_json
    from domgrpc.storage import repair
    from domgrpc.storage.disk import LocalDisk
    from domgrpc.storage.errors import StorageError

    try:
        saved = repair.salvage(
            open_folder(folder),
            LocalDisk(target),
            segment_bytes=SEGMENT_BYTES,
            random_bytes=os.urandom,
        )
    except StorageError as error:
        end_with(error)
    facts = {
        "snapshot_revision": saved.snapshot_sequence,
        "records": saved.records,
        "last_revision": saved.last_sequence,
        "damage": str(saved.damage) if saved.damage is not None else None,
    }
    if session_of(context).as_json:
        print_json(facts)
    else:
        print_facts(facts)
