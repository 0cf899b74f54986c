"""The rules about names, bases and import time see what is planted and nothing else."""

import pytest

from tests.tidy.planted import lines, plant
from tests.tidy.shape import (
    check_import_place,
    check_import_work,
    check_inheritance,
    check_name,
    check_open_marks,
)


@pytest.mark.parametrize(
    "path",
    ["src/domgrpc/util.py", "src/domgrpc/rpc/status_helpers.py", "src/common/x.py", "Base.py"],
)
def test_a_file_named_after_nothing_is_found(path: str) -> None:
    assert len(check_name(path)) == 1


@pytest.mark.parametrize("path", ["tests/test_base64.py", "core/values.py", "cli/__init__.py"])
def test_a_file_named_after_its_job_is_left_alone(path: str) -> None:
    assert check_name(path) == []


def test_an_open_mark_without_an_issue_is_found() -> None:
    source = plant(
        f"""
        x = 1  # {"TO" + "DO"} later
        # {"FIX" + "ME"}(somebody): soon
        # {"TO" + "DO"} #17: with the router
        y = "{"TO" + "DO"} in a text is data"
        """
    )
    assert lines(check_open_marks(source)) == [1, 2]


def test_a_class_that_derives_from_one_of_ours_is_found() -> None:
    source = plant(
        """
        class Log: ...
        class FastLog(Log): ...
        class Names(dict): ...
        """
    )
    assert lines(check_inheritance([source])) == [2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "class A(msgspec.Struct, frozen=True): ...",
        "class A(Exception): ...\nclass B(A): ...",
        "class A(Protocol): ...",
        "class A(Generic[T]): ...",
        "class A(enum.StrEnum): ...",
        "class A(inventory_pb2_grpc.InventoryServiceServicer): ...",
        "class A(grpc.aio.ServerInterceptor): ...",
        "class A(grpc.aio.UnaryUnaryClientInterceptor): ...",
    ],
)
def test_data_exceptions_protocols_and_servicers_are_left_alone(text: str) -> None:
    assert check_inheritance([plant(text)]) == []


def test_an_import_below_other_code_or_in_a_function_is_found() -> None:
    source = plant(
        '''
        """What lives here."""
        import first
        from second import third
        x = 1
        import fourth
        def f():
            import fifth
        '''
    )
    assert lines(check_import_place(source)) == [5, 7]


def test_work_at_import_time_is_found() -> None:
    source = plant(
        '''
        """What lives here."""
        x = 1
        connect()
        for y in range(3): ...
        def f():
            connect()
        '''
    )
    assert lines(check_import_work(source)) == [3, 4]
