"""TLS and mTLS: what is encrypted, who is let in, and who a caller then is."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest

from domgrpc.config import InvalidSetting, Settings
from domgrpc.rpc.calls import ANONYMOUS, certificate_client_id
from domgrpc.rpc.credentials import server_credentials
from domgrpc.v1 import admin_pb2, reservation_pb2
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub
from tests.rpc.serving import Shop, reserve_lines, serving

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl makes the certificates")
STATUS = admin_pb2.GetStatusRequest()


class Authority:
    """A certificate authority in a folder, and what it has signed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._run("req", "-x509", *self._key("ca"), "-subj", "/CN=authority", "-out", "ca.pem")

    def sign(self, name: str, common_name: str, alternative: str = "") -> None:
        """Make a key and a certificate under a file name."""
        self._run("req", *self._key(name), "-subj", f"/CN={common_name}", "-out", f"{name}.csr")
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n" if alternative else "")
        authority = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        files = ("-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", extensions.name)
        self._run("x509", "-req", *authority, *files)

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        return (self.folder / name).read_bytes()

    def _key(self, name: str) -> tuple[str, ...]:
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        return (*curve, "-nodes", "-keyout", f"{name}.key")

    def _run(self, *arguments: str) -> None:
        assert OPENSSL is not None
        subprocess.run([OPENSSL, *arguments], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority with a server, a till, and a client with an odd name."""
    made = Authority(tmp_path_factory.mktemp("tls") / "own")
    made.sign("server", "server", "IP:127.0.0.1")
    made.sign("till", "till-7")
    made.sign("odd", "Till Seven in the North")
    return made


@asynccontextmanager
async def secure_shop(folder: Path, authority: Authority, *, mutual: bool) -> AsyncIterator[Shop]:
    async with serving(
        folder,
        tls_certificate_file=authority.folder / "server.pem",
        tls_key_file=authority.folder / "server.key",
        tls_client_ca_file=authority.folder / "ca.pem" if mutual else None,
    ) as shop:
        yield shop


def channel(
    shop: Shop, trusted: Authority, own: Authority | None = None, name: str = ""
) -> "grpc.aio.Channel":
    credentials = grpc.ssl_channel_credentials(
        trusted.read("ca.pem"),
        own.read(f"{name}.key") if own is not None else None,
        own.read(f"{name}.pem") if own is not None else None,
    )
    return grpc.aio.secure_channel(shop.address, credentials)


async def expect_no_entry(opened: "grpc.aio.Channel") -> None:
    async with opened:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await AdminServiceStub(opened).GetStatus(STATUS, timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@needs_openssl
@pytest.mark.parametrize(
    ("certificate", "key", "client_ca", "message"),
    [
        ("garbage", "server.key", None, r"tls_certificate_file: .*garbage holds no certificate"),
        ("empty", "server.key", None, r"tls_certificate_file: .*empty holds no certificate"),
        ("server.pem", "garbage", None, r"tls_key_file: .*garbage is not the key of .*server.pem"),
        ("server.pem", "till.key", None, r"tls_key_file: .*till.key is not the key of"),
        ("server.pem", "server.key", "garbage", r"tls_client_ca_file: .*garbage holds no cert"),
        ("server.pem", "server.key", "empty", r"tls_client_ca_file: .*empty holds no certificate"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(
    authority: Authority, certificate: str, key: str, client_ca: str | None, message: str
) -> None:
    (authority.folder / "garbage").write_text("garbage")
    (authority.folder / "empty").write_text("")
    settings = Settings(
        data_dir=authority.folder,
        tls_certificate_file=authority.folder / certificate,
        tls_key_file=authority.folder / key,
        tls_client_ca_file=None if client_ca is None else authority.folder / client_ca,
    )
    with pytest.raises(InvalidSetting, match=message):
        server_credentials(settings)


@needs_openssl
@pytest.mark.slow
async def test_with_tls_a_client_that_trusts_the_authority_gets_in(
    tmp_path: Path, authority: Authority
) -> None:
    async with secure_shop(tmp_path, authority, mutual=False) as shop:
        async with channel(shop, authority) as opened:
            assert (await AdminServiceStub(opened).GetStatus(STATUS)).version
        await expect_no_entry(grpc.aio.insecure_channel(shop.address))
        await expect_no_entry(channel(shop, Authority(tmp_path / "foreign")))


@needs_openssl
@pytest.mark.slow
async def test_with_mutual_tls_a_client_is_who_its_certificate_says(
    tmp_path: Path, authority: Authority
) -> None:
    foreign = Authority(tmp_path / "foreign")
    foreign.sign("till", "till-7")
    async with secure_shop(tmp_path / "data", authority, mutual=True) as shop:
        await expect_no_entry(channel(shop, authority))
        await expect_no_entry(channel(shop, authority, foreign, "till"))
        async with channel(shop, authority, authority, "till") as opened:
            shop.talk_through(opened)
            await shop.add_location("a")
            await shop.count(("A", "a", 5))
            assert await holder(shop, opened) == "till-7"
        async with channel(shop, authority, authority, "odd") as opened:
            odd = await holder(shop, opened)
    assert odd.startswith("x509:")
    assert len(odd) == len("x509:") + 32


async def holder(shop: Shop, opened: "grpc.aio.Channel") -> str:
    """Hold something and return who the server says did; the name in the metadata is a lie."""
    request = reservation_pb2.ReserveStockRequest(
        request_id=shop.key(), lines=reserve_lines(("A", "a", 1))
    )
    lie = (("domgrpc-client", "somebody-else"),)
    held = await ReservationServiceStub(opened).ReserveStock(request, metadata=lie)
    return held.client_id


@pytest.mark.parametrize(
    ("certificate", "client_id"),
    [
        ({"x509_common_name": [b"till-7"]}, "till-7"),
        ({"x509_subject_alternative_name": [b"till-8", b"till-9"]}, "till-8"),
        (
            {"x509_common_name": [b"till-7"], "x509_subject_alternative_name": [b"till-8"]},
            "till-7",
        ),
        ({}, ANONYMOUS),
    ],
    ids=["common-name", "alternative-name", "both", "none"],
)
def test_a_certificate_names_a_client(certificate: dict[str, list[bytes]], client_id: str) -> None:
    assert certificate_client_id(certificate) == client_id


def test_two_odd_names_never_become_one_client() -> None:
    names = (b"two words", b"two_words", "caf\u00e9".encode(), b"\xff\xfe")
    found = {certificate_client_id({"x509_common_name": [name]}) for name in names}
    assert len(found) == len(names)
