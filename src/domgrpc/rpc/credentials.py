"""TLS of the server: certificate, key, and with mTLS the authority that clients' come from."""

from pathlib import Path

import grpc

from domgrpc.config import InvalidSetting, Settings


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Return the credentials that the settings name, None without TLS.

    Raises InvalidSetting for a file that cannot be read.
    """
    if settings.tls_certificate_file is None or settings.tls_key_file is None:
        return None
    certificate = _read(settings.tls_certificate_file, "tls_certificate_file")
    key = _read(settings.tls_key_file, "tls_key_file")
    authority = None
    if settings.tls_client_ca_file is not None:
        authority = _read(settings.tls_client_ca_file, "tls_client_ca_file")
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
