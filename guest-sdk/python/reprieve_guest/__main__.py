"""`python -m reprieve_guest build policy.py`: a component of a policy's module."""

import argparse
import importlib
import pathlib
import shutil
import subprocess
import sys

from .policy import Policy

EXPORTS = ("Guest", "RetryPolicy", "CleanupPolicy")


def build(module: pathlib.Path, output: pathlib.Path) -> int:
    """Builds the component, for the roles that the module's policy has."""
    tool = shutil.which("componentize-py", path=str(pathlib.Path(sys.executable).parent)) or shutil.which(
        "componentize-py"
    )
    if tool is None:
        sys.exit("componentize-py is not installed\nhint: `pip install componentize-py==0.25.1`")
    package = pathlib.Path(__file__).resolve().parent
    sys.path.insert(0, str(module.parent))
    exports = [getattr(importlib.import_module(module.stem), name, None) for name in EXPORTS]
    # Outside a component each is the policy itself.
    if not all(isinstance(export, type) and issubclass(export, Policy) for export in exports):
        sys.exit(f"`{module.name}` has no `{', '.join(EXPORTS)} = export(...)`")
    command = [tool, "-d", str(package / "wit"), "-w", exports[0].world(), "componentize"]
    command += ["-p", str(module.parent), "-p", str(package.parent), module.stem, "-o", str(output)]
    return subprocess.run(command).returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m reprieve_guest", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    builds = commands.add_parser("build", help="build a component")
    builds.add_argument("module", type=pathlib.Path, help="the policy's module, a .py file")
    builds.add_argument("-o", "--output", type=pathlib.Path, help="where the component goes [default: MODULE.wasm]")
    arguments = parser.parse_args()
    module = arguments.module.resolve()
    return build(module, (arguments.output or module.with_suffix(".wasm")).resolve())


if __name__ == "__main__":
    sys.exit(main())
