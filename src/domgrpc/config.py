"""Settings: every value that an operator may choose, with its unit, default and limit.

One frozen struct, made in one place (the CLI's `serve`, or a test) and passed down. Each setting
is explained in docs/operating.md, and a test keeps the two together.
"""

from pathlib import Path

import msgspec

from domgrpc.core.values import Limits


class InvalidSetting(ValueError):
    """A setting is outside its limits; the message names it, the value and the limits."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a server runs. Times in seconds, sizes in bytes unless the name says otherwise."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 50051
    health_port: int | None = None
    """Where health answers also while the disk hangs; None for nowhere, 0 for a free port."""
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_client_ca_file: Path | None = None
    queue_max: int = 20_000
    """Operations that may wait for the writer; beyond it calls are refused as SERVER_BUSY."""
    queue_seconds_max: float = 1.0
    """How long the operations that wait may take together; the queue is full beyond it."""
    client_operations_per_second_max: int = 0
    """Operations that one client may ask for in a second; 0 for any number."""
    pending_calls_max: int = 10_000
    """Calls that may wait inside gRPC; beyond it more and more are refused, all at twice it."""
    commit_wait_ms_max: float = 5.0
    """How long a commit may wait for more calls that are already under way to join it."""
    receive_size_bytes_max: int = 4 * 1024 * 1024
    send_size_bytes_max: int = 32 * 1024 * 1024
    handshake_seconds: float = 10.0
    """How long a new connection may take to its first words of HTTP/2."""
    max_connection_idle_seconds: float = 300.0
    """A connection without a call is closed after so long."""
    max_connection_age_seconds: int = 3_600
    drain_seconds: float = 10.0
    watch_mark_seconds: float = 5.0
    """How often a watch without news gets a mark of progress."""
    feed_records_max: int = 100_000
    feed_size_bytes_max: int = 64 * 1024 * 1024
    """The newest records kept in memory for watchers; who falls behind them is cut off."""
    snapshot_log_bytes: int = 256 * 1024 * 1024
    """A snapshot is written when so much log has grown since the last; 0 for never."""
    scrub_interval_seconds: float = 86_400.0
    """How often the older files are read again and checked; 0 for never."""
    segment_size_bytes: int = 64 * 1024 * 1024
    call_log: str = "errors"
    """Which calls are logged: "errors", "all" or "off"."""
    log_format: str = "auto"
    """"auto" (colour on a terminal, else JSON), "json" or "console"."""
    limits: Limits = Limits()

    def check(self) -> None:
        """Raise InvalidSetting for the first value outside its limits."""
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InvalidSetting(f"{name} is {value}; {low} to {high} are allowed")
        for name, limit in msgspec.structs.asdict(self.limits).items():
            if not 1 <= limit <= _LIMIT_MAX:
                raise InvalidSetting(f"limits.{name} is {limit}; 1 to {_LIMIT_MAX} are allowed")
        for name, allowed in _CHOICES:
            value = getattr(self, name)
            if value not in allowed:
                raise InvalidSetting(f"{name} is {value!r}; allowed are {', '.join(allowed)}")
        if self.segment_size_bytes % _SECTOR_BYTES:
            raise InvalidSetting(
                f"segment_size_bytes is {self.segment_size_bytes}; a multiple of {_SECTOR_BYTES} "
                "is needed"
            )
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise InvalidSetting("tls_certificate_file and tls_key_file go together: give both")
        if self.tls_client_ca_file is not None and self.tls_certificate_file is None:
            raise InvalidSetting("tls_client_ca_file needs tls_certificate_file and tls_key_file")


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("port", 0, 65_535),
    ("health_port", 0, 65_535),
    ("queue_max", 1, 1_000_000),
    ("queue_seconds_max", 0.01, 60),
    ("client_operations_per_second_max", 0, 100_000_000),
    ("pending_calls_max", 1, 100_000),
    ("commit_wait_ms_max", 0, 100),
    ("receive_size_bytes_max", 64 * 1024, 64 * 1024 * 1024),
    ("send_size_bytes_max", 64 * 1024, 1024 * 1024 * 1024),
    ("handshake_seconds", 0.1, 120),
    ("max_connection_idle_seconds", 0.1, 7 * 86_400),
    ("max_connection_age_seconds", 1, 7 * 86_400),
    ("drain_seconds", 0, 600),
    ("watch_mark_seconds", 0.01, 3_600),
    ("feed_records_max", 1, 10_000_000),
    ("feed_size_bytes_max", 1, 16 * 1024 * 1024 * 1024),
    ("snapshot_log_bytes", 0, 1 << 50),
    ("scrub_interval_seconds", 0, 31_536_000),
    ("segment_size_bytes", 32 * 1024 * 1024, 1024 * 1024 * 1024),
)
_LIMIT_MAX = 10**12
_SECTOR_BYTES = 4_096
_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("call_log", ("errors", "all", "off")),
    ("log_format", ("auto", "json", "console")),
)
