"""What must not reach the repository: paths of one machine, hosts of registries, lock files."""

import re
from pathlib import PurePosixPath

from tests.tidy.findings import Finding

MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:home|Users|root|work|workspace|mnt|tmp|opt)/[\w.]")
REGISTRY_HOST = re.compile(
    r"(?:pypi|pythonhosted|npmjs|anaconda|buf)\.(?:org|com|build|io)"
    r"|--(?:extra-)?index-url|file:/{3}",
    re.IGNORECASE,
)
LOCK_FILES = frozenset({"Pipfile.lock", "package-lock.json", "pdm.lock", "poetry.lock", "uv.lock"})


def check_private_places(path: str, text: str) -> list[Finding]:
    """No line names a place that exists on one machine or in one network only."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if place := MACHINE_PATH.search(line):
            message = f"{place[0]}... is a path of one machine: use a relative path"
            found.append(Finding("machine-path", path, number, message))
        if host := REGISTRY_HOST.search(line):
            message = f"{host[0]} names a registry: names and versions are enough"
            found.append(Finding("registry", path, number, message))
    return found


def check_lock_file(path: str) -> list[Finding]:
    """A lock file records the address of a registry; constraints.txt holds the versions."""
    if PurePosixPath(path).name not in LOCK_FILES:
        return []
    return [Finding("registry", path, 1, "a lock file names a registry: use constraints.txt")]
