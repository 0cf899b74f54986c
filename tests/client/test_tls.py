"""The client over TLS and mTLS."""

from pathlib import Path

import pytest

from domgrpc.client import DomgrpcClient, DomgrpcError, RetryPolicy, Tls
from tests.rpc.serving import serving
from tests.rpc.test_tls import Authority, needs_openssl, secure_shop

pytestmark = [pytest.mark.slow, needs_openssl]
NO_RETRY = RetryPolicy(budget_share=0, budget_reserve=0)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority with a server and a till."""
    made = Authority(tmp_path_factory.mktemp("tls") / "own")
    made.sign("server", "server", "IP:127.0.0.1")
    made.sign("till", "till-7")
    return made


async def test_with_mutual_tls_the_certificate_says_who_calls(
    authority: Authority, tmp_path: Path
) -> None:
    folder = authority.folder
    own = Tls(
        ca_file=folder / "ca.pem",
        certificate_file=folder / "till.pem",
        key_file=folder / "till.key",
    )
    async with secure_shop(tmp_path / "data", authority, mutual=True) as shop:
        async with DomgrpcClient(shop.address, tls=own) as client:
            assert (await client.get_status()).revision == 0
        async with DomgrpcClient(
            shop.address, tls=Tls(ca_file=folder / "ca.pem"), retry=NO_RETRY
        ) as stranger:
            with pytest.raises(DomgrpcError, match="UNAVAILABLE"):
                await stranger.get_status()


async def test_a_server_of_an_unknown_authority_is_not_spoken_to(
    authority: Authority, tmp_path: Path
) -> None:
    async with (
        secure_shop(tmp_path / "data", authority, mutual=False) as shop,
        DomgrpcClient(shop.address, tls=Tls(), retry=NO_RETRY) as client,
    ):
        with pytest.raises(DomgrpcError, match="UNAVAILABLE"):
            await client.get_status()


async def test_a_certificate_needs_its_key(authority: Authority, tmp_path: Path) -> None:
    own = Tls(certificate_file=authority.folder / "till.pem")
    async with serving(tmp_path / "data") as shop:
        with pytest.raises(ValueError, match="go together"):
            DomgrpcClient(shop.address, tls=own)
