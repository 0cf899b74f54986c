"""TLS of the server: certificate, key, and with mTLS the authority that clients' come from.

gRPC says of a file that it cannot use no more than that it cannot listen. So each is read by the
standard library first, which says what is wrong.
"""

import ssl
from pathlib import Path

import grpc

from domgrpc.config import InvalidSetting, Settings


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Return the credentials that the settings name, None without TLS.

    Raises InvalidSetting for a file that cannot be read, or does not hold what it should.
    """
    if settings.tls_certificate_file is None or settings.tls_key_file is None:
        return None
    certificate = _read(settings.tls_certificate_file, "tls_certificate_file")
    key = _read(settings.tls_key_file, "tls_key_file")
    _check_certificates(settings.tls_certificate_file, "tls_certificate_file")
    _check_key(settings.tls_key_file, settings.tls_certificate_file)
    authority = None
    if settings.tls_client_ca_file is not None:
        authority = _read(settings.tls_client_ca_file, "tls_client_ca_file")
        _check_certificates(settings.tls_client_ca_file, "tls_client_ca_file")
    return grpc.ssl_server_credentials(
        [(key, certificate)],
        root_certificates=authority,
        require_client_auth=authority is not None,
    )


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidSetting(f"{setting}: {path} cannot be read: {error.strerror}") from None


def _check_certificates(path: Path, setting: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(path)
    except ssl.SSLError as error:
        raise InvalidSetting(
            f"{setting}: {path} holds no certificate in PEM ({_why(error)}): give another file"
        ) from None


def _check_key(path: Path, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a password it would be asked for on the terminal.
        context.load_cert_chain(certificate, path, password="")
    except ssl.SSLError as error:
        raise InvalidSetting(
            f"tls_key_file: {path} is not the key of {certificate} in PEM without a password "
            f"({_why(error)}): give the right key"
        ) from None


def _why(error: ssl.SSLError) -> str:
    return error.reason or str(error)
