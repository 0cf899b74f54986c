"""Field masks: which fields an update changes."""

from collections.abc import Iterable, Mapping

from google.protobuf.field_mask_pb2 import FieldMask

from domgrpc.rpc.refusals import InvalidField

MASK_PATHS_MAX = 100


def masked_names(mask: FieldMask, fields: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the core's names of the masked fields in a fixed order; an empty mask means all.

    `fields` gives for each path that a caller may name the core's fields behind it. A path that
    is unknown, output only, or the key of the resource is refused.
    """
    paths = mask.paths
    if not paths:
        return _distinct(name for names in fields.values() for name in names)
    if len(paths) > MASK_PATHS_MAX:
        raise InvalidField(
            "update_mask", f"has {len(paths)} paths; up to {MASK_PATHS_MAX} are allowed"
        )
    chosen = set(paths)
    for place, path in enumerate(paths):
        if path not in fields:
            raise InvalidField(
                f"update_mask.paths[{place}]",
                f"is {path[:80]!a}; a field that can be changed is one of {', '.join(fields)}",
            )
    # In the order of the fields, so that the same set of paths makes the same command.
    return _distinct(name for path, names in fields.items() if path in chosen for name in names)


def check_mask_covers(mask: FieldMask, given: Iterable[str]) -> None:
    """Refuse a given field that the mask leaves out, for an update that may create.

    A resource that is created takes every given field, one that exists only the masked ones:
    where both are the same fields, the request means the same either way.
    """
    if not mask.paths:
        return
    named = frozenset(mask.paths)
    for field in given:
        if field not in named:
            raise InvalidField(
                "update_mask",
                f"leaves out {field}, which is given; with allow_missing name every given field, "
                "or none",
            )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
