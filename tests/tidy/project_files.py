"""Which files belong to the project."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What a source archive without git may have beside the project's own files.
MADE = frozenset({".git", ".hypothesis", ".venv", "__pycache__", "dist", "v1", "var"})


def project_files(root: Path) -> tuple[str, ...]:
    """The files that git tracks or would track, in order; without git, all that nobody made."""
    git = shutil.which("git")
    if git is not None and (root / ".git").exists():
        command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, check=False)
        if listed.returncode == 0:
            names = listed.stdout.decode().split("\0")
            return tuple(sorted(name for name in set(names) if (root / name).is_file()))
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return tuple(
        sorted(
            path.as_posix()
            for path in paths
            if not MADE & frozenset(path.parts) and not path.name.endswith("_cache")
        )
    )


def read_text(path: Path) -> str:
    """The text of a file, empty for one that is absent or not text."""
    if not path.exists():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
