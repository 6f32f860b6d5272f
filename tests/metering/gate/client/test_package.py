"""The client can be installed alone: its wheel has what it imports, and needs redis and no Django."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import redis

from tests.processes import PROJECT

CLIENT = PROJECT / "metering" / "gate" / "client"
ALL = sorted(f"metering.gate.client.{file.stem}" for file in CLIENT.glob("*.py") if file.stem != "__init__")
IMPORT_ALL = f"""
import importlib, sys
for name in {ALL!r}:
    importlib.import_module(name)
ours = [module for name, module in sys.modules.items() if name.split(".")[0] in ("metering", "wallets", "pricing")]
print(*sorted(module.__file__.removeprefix(sys.argv[1] + "/") for module in ours))
print("django" in sys.modules, "msgspec" in sys.modules, "litellm" in sys.modules)
"""


def test_the_wheel_has_just_what_it_imports_and_runs_with_redis_alone(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, CLIENT], check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        brought = sorted(name for name in archive.namelist() if name.endswith(".py"))
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "redis").symlink_to(Path(redis.__file__).parent)
    alone = {"PYTHONPATH": f"{tmp_path / 'installed'}:{beside}", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-S", "-c", IMPORT_ALL, str(tmp_path / "installed")],
        cwd=tmp_path, env=alone, capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported, others = ran.stdout.splitlines()
    assert imported.split() == brought
    assert others == "False False False"
