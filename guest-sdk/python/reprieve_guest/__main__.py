"""`python -m reprieve_guest build policy.py`: a component of a policy's module."""

import argparse
import importlib
import pathlib
import shutil
import subprocess
import sys

from .policy import Policy


def build(module: pathlib.Path, output: pathlib.Path) -> int:
    """Builds the component, for the roles that the module's policy has."""
    tool = shutil.which("componentize-py", path=str(pathlib.Path(sys.executable).parent)) or shutil.which(
        "componentize-py"
    )
    if tool is None:
        sys.exit("componentize-py is not installed\nhint: `pip install componentize-py==0.25.1`")
    package = pathlib.Path(__file__).resolve().parent
    sys.path.insert(0, str(module.parent))
    policies = [
        value
        for value in vars(importlib.import_module(module.stem)).values()
        if isinstance(value, type) and issubclass(value, Policy) and value is not Policy
    ]
    if not policies:
        sys.exit(f"`{module}` has no subclass of `Policy`\nhint: and `Guest, RetryPolicy, CleanupPolicy = export(It)`")
    command = [tool, "-d", str(package / "wit"), "-w", policies[0].world(), "componentize"]
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
