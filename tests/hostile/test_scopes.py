"""The table of scopes is complete, and what it does not name is denied."""

import pytest

from domgrpc.rpc.registration import service_descriptors
from domgrpc.rpc.scopes import SCOPES, Scope, is_allowed, scope_of
from tests.hostile.surface import METHODS

EVERYTHING = frozenset(Scope)


def test_every_method_that_is_served_has_a_scope_and_nothing_else_has() -> None:
    assert set(SCOPES) == {method.path.removeprefix("/") for method in METHODS}


def test_every_method_of_every_descriptor_is_served() -> None:
    described = {
        f"/{service.full_name}/{method.name}"
        for service in service_descriptors()
        for method in service.methods
    }
    assert described == {method.path for method in METHODS if method.is_ours}


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_allows_its_own_methods_and_the_open_ones_only(scope: Scope) -> None:
    for method in METHODS:
        needed = scope_of(method.path)
        allowed = is_allowed(method.path, frozenset({scope}))
        assert allowed == (needed in {scope, Scope.OPEN}), method.path


def test_who_has_no_scope_may_only_ask_for_what_is_open() -> None:
    allowed = {method.path for method in METHODS if is_allowed(method.path, frozenset())}
    assert allowed == {f"/{name}" for name, scope in SCOPES.items() if scope is Scope.OPEN}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/domgrpc.v1.AdminService",
        "/domgrpc.v1.AdminService/Shutdown",
        "/domgrpc.v1.adminservice/getstatus",
        "/domgrpc.v1.AdminService/GetStatus/",
        "//domgrpc.v1.AdminService/GetStatus",
        "/domgrpc.v1.AdminService/GetStatus\x00",
        "/grpc.channelz.v1.Channelz/GetServers",
    ],
)
def test_an_unknown_method_is_denied_to_everybody(path: str) -> None:
    assert scope_of(path) is None
    assert not is_allowed(path, EVERYTHING)


def test_no_method_that_changes_something_is_a_read() -> None:
    asking = (
        *("Get", "List", "Check", "Watch", "Explain", "BatchGet", "Simulate"),
        "ServerReflection",
    )
    for path, scope in SCOPES.items():
        name = path.rpartition("/")[2]
        if scope in {Scope.READ, Scope.OPEN}:
            assert name.startswith(asking), path
        else:
            assert not name.startswith(asking) or scope is Scope.ADMIN, path
