"""Generate the protobuf code of ``domgrpc.v1`` at build time and for ``make protos``.

The proto path equals the Python path (``protos/domgrpc/v1/x.proto`` becomes
``src/domgrpc/v1/x_pb2.py``), so no import is rewritten. Everything is written into a temporary
folder first and moved over only when the generator accepted every file: a mistake in a proto
leaves the last good code in place, and a reader never sees half a file.
"""

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("domgrpc", "v1")
PACKAGE_DOCSTRING = (
    '"""The messages and stubs of the public API, generated from protos/: do not edit."""\n'
)


class GenerationError(Exception):
    """The protobuf compiler refused the protos."""


class ProtobufBuildHook(BuildHookInterface[Any]):
    """Hatchling calls this before it builds a wheel or an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate the code that the wheel will contain.

        A source archive carries the protos and no generated code, so it needs nothing.
        """
        del version, build_data
        if self.target_name == "wheel":
            generate(Path(self.root))


def generate(root: Path) -> int:
    """Bring ``src/domgrpc/v1`` up to date with ``protos`` and return the number of protos.

    Files whose protos are gone are removed; files that did not change keep their times.
    """
    protos = root / "protos"
    sources = sorted((protos / PACKAGE).glob("*.proto"))
    # Beside the target, so that every move is a rename on one file system.
    (root / "src").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".generated-", dir=root / "src") as scratch:
        made = Path(scratch) / PACKAGE
        made.mkdir(parents=True)
        (made / "__init__.py").write_text(PACKAGE_DOCSTRING, encoding="utf-8")
        if sources:
            _compile(protos, sources, Path(scratch))
        _replace(made, root / "src" / PACKAGE)
    return len(sources)


def _compile(protos: Path, sources: list[Path], output: Path) -> None:
    # Imported here because hatchling loads this file for a source archive too, where nobody
    # needs a compiler.
    from grpc_tools import protoc  # noqa: PLC0415

    # The scripts of the build environment are not always on PATH: name the folder.
    plugin = Path(sys.executable).with_name("protoc-gen-mypy_grpc")
    arguments = [
        "protoc",
        f"--proto_path={protos}",
        f"--proto_path={_module_file('grpc_tools').parent / '_proto'}",
        f"--proto_path={_module_file('google.rpc.status_pb2').parents[2]}",
        f"--python_out={output}",
        f"--pyi_out={output}",
        f"--grpc_python_out={output}",
        f"--mypy_grpc_out=quiet:{output}",
        *(str(source) for source in sources),
    ]
    if plugin.exists():
        arguments.insert(1, f"--plugin=protoc-gen-mypy_grpc={plugin}")
    code = protoc.main(arguments)
    if code != 0:
        names = ", ".join(source.name for source in sources)
        message = f"protoc refused the protos (exit status {code}); its messages are above: {names}"
        raise GenerationError(message)


def _module_file(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        message = f"the module {name} is not installed; install the build requirements"
        raise GenerationError(message)
    return Path(spec.origin)


def _replace(made: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    fresh = {path.name: path for path in made.iterdir()}
    for path in target.glob("*.py*"):
        if path.name not in fresh and path.is_file():
            path.unlink()
    for name, path in fresh.items():
        existing = target / name
        if not existing.exists() or existing.read_bytes() != path.read_bytes():
            path.replace(existing)


if __name__ == "__main__":
    try:
        count = generate(Path(__file__).resolve().parent)
    except GenerationError as error:
        sys.exit(str(error))
    print(f"generated src/{PACKAGE} from {count} protos")
