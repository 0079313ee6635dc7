"""A plugin from elsewhere: installed into an environment of its own, used by a job, and broken in every way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

ACME = Path(__file__).resolve().parents[2] / "examples/plugins/callsheet-acme"

JOB = """\
version: 1
name: captions
inputs:
  lines: {type: array, items: {type: string}, default: ["Hello Ada. Welcome.", "Hello Bo."]}
foreach:
  line: {from: "${{ inputs.lines }}", key: "${{ line | slugify }}"}
steps:
  - id: caption
    uses: acme/subtitle
    with: {text: "${{ line }}", duration: 4, to: "out/${{ line | slugify }}.srt"}
  - id: save
    uses: download
    with: {from: "${{ steps.caption.outputs.captions }}", to: "copy/${{ line | slugify }}.srt"}
outputs:
  until: ${{ 4 | timecode }}
"""

PLAIN = """\
version: 1
name: plain
steps:
  - {id: save, uses: download, with: {from: note.txt, to: out/note.txt}}
"""


class Environment:
    """An interpreter that sees the packages of the one that runs the tests, and those installed on top."""

    def __init__(self, python: Path, more_paths: str = "") -> None:
        self.python = python
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_", "CALLSHEET", "COV"))}
        self.env |= {"NO_COLOR": "1", "COLUMNS": "200", "PYTHONPATH": more_paths}

    def run(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [str(self.python), *arguments]
        return subprocess.run(command, cwd=cwd, env=self.env, capture_output=True, text=True, timeout=100, check=False)

    def callsheet(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "callsheet", *arguments, cwd=cwd)

    def json(self, *arguments: str, cwd: Path | None = None) -> Any:
        done = self.callsheet(*arguments, "--json", cwd=cwd)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def plugins(self) -> dict[str, Any]:
        return {plugin["prefix"]: plugin for plugin in self.json("plugins")["plugins"]}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """callsheet-acme, built and installed without a network: hatchling is at hand."""
    pytest.importorskip("hatchling", reason="building a distribution needs hatchling")
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    site = next(folder.glob("lib/python*/site-packages")) if os.name != "nt" else folder / "Lib/site-packages"
    # What `--system-site-packages` does, for an interpreter that is itself a virtual environment's. `addsitedir`
    # instead of a plain line reads the .pth files of editable installs too.
    outer = sysconfig.get_paths()["purelib"]
    (site / "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n", encoding="utf-8")
    environment = Environment(python)
    # A copy is built, so that nothing is written into the source tree.
    source = folder / "source"
    for file in sorted(ACME.rglob("*")):
        if file.is_file() and "cache" not in str(file.relative_to(ACME)):
            target = source / file.relative_to(ACME)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    done = environment.run("-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "-q", str(source))
    assert done.returncode == 0, done.stderr
    return environment


def test_it_is_listed_with_its_package(installed: Environment) -> None:
    acme = installed.plugins()["acme"]
    assert (acme["package"], acme["version"], acme["problem"]) == ("callsheet-acme", "1.0.0", None)
    assert acme["operations"] == ["acme/subtitle"]
    assert "acme/subtitle" in installed.callsheet("plugins").stdout


def test_its_operations_are_explained(installed: Environment) -> None:
    done = installed.callsheet("operations", "acme")
    assert done.returncode == 0, done.stderr
    assert "acme/subtitle" in done.stdout
    described = installed.callsheet("operations", "acme/subtitle")
    assert described.returncode == 0, described.stderr
    assert "How long it is spoken, in seconds." in described.stdout


def test_a_job_uses_it_and_the_second_run_reuses(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB, encoding="utf-8")
    plan = installed.json("plan", "job.yaml", cwd=tmp_path)
    assert plan["totals"]["decisions"] == {"execute": 4}
    assert not (tmp_path / "out").exists()
    first = installed.json("run", "job.yaml", cwd=tmp_path)
    assert (first["status"], first["outputs"]) == ("succeeded", {"until": "00:00:04,000"})
    assert "Hello Ada." in (tmp_path / "out/hello-ada-welcome.srt").read_text(encoding="utf-8")
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.srt")}
    assert len(written) == 4
    second = installed.json("run", "job.yaml", cwd=tmp_path)
    assert second["totals"]["reused"] == 4
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.srt")} == written


def test_a_wrong_input_is_found_before_anything_runs(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB.replace("duration: 4", "duraton: 4"), encoding="utf-8")
    done = installed.callsheet("validate", "job.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert 'did you mean "duration"?' in done.stderr


def test_its_own_tests_pass_there(installed: Environment) -> None:
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(ACME / "tests")]
    done = installed.run(*command, str(ACME / "tests"))
    assert done.returncode == 0, done.stdout


OPERATION = """
from callsheet.api import PURE, Operation, hookimpl
class Work(Operation):
    name = "{prefix}/work"
    summary = "Work."
    repeat = PURE
    inputs = outputs = {{"type": "object"}}
    async def run(self, inputs, ctx):
        return {{}}
"""
OFFER = """
@hookimpl
def callsheet_operations():
    return [Work()]
"""

#: Modules by what is wrong with them, and a part of the reason that callsheet gives.
BROKEN = {
    "importerror": ("import nosuchmodule_x\n", "ModuleNotFoundError: No module named 'nosuchmodule_x'"),
    "syntaxerror": ("def broken(:\n", "SyntaxError"),
    "exits": ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    "classgiven": (OPERATION + OFFER.replace("Work()", "Work"), "is a class; give an instance of it"),
    "wrongprefix": (OPERATION.replace("{prefix}", "other") + OFFER, 'must be named "wrongprefix/…"'),
    "notasync": (OPERATION.replace("async def", "def") + OFFER, "must define `run` with async def"),
    "badschema": (OPERATION.replace('"object"', '"objekt"') + OFFER, "must have an object schema as inputs"),
    "badproperty": (
        OPERATION.replace('"object"', '"object", "properties": {{"x": {{"type": "nope"}}}}') + OFFER,
        "not a valid JSON Schema",
    ),
    "norepeat": (OPERATION.replace("    repeat = PURE\n", "") + OFFER, "does not say its repeat"),
    "nohook": (OPERATION, "implements no hook"),
    "forgotten": (OPERATION + OFFER.replace("@hookimpl", ""), "implements no hook"),
    "misspelt": (OPERATION + OFFER.replace("callsheet_operations", "callsheet_operation"), "does not fit"),
    "raises": (OPERATION + OFFER.replace("return [Work()]", "raise RuntimeError('no')"), "RuntimeError: no"),
    "hookexits": (OPERATION + OFFER.replace("return [Work()]", "raise SystemExit(3)"), "SystemExit"),
    "notalist": (OPERATION + OFFER.replace("[Work()]", "Work()"), ""),
    "halfway": (OPERATION + OFFER.replace("return [Work()]", "yield Work(); raise RuntimeError('half')"), "half"),
    "tomorrow": ("CALLSHEET_API = 2\n" + OPERATION + OFFER, "needs version 2 of the plugin contract"),
    "missing": (None, "No module named 'callsheet_missing'"),
}


def distribution(site: Path, prefix: str, code: str | None, *, name: str | None = None) -> None:
    """What an installation leaves behind, as far as callsheet sees it: a module and its entry point."""
    module = f"callsheet_{prefix}"
    if code is not None:
        (site / f"{module}.py").write_text(code.format(prefix=prefix), encoding="utf-8")
    info = site / f"{(name or module)}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name or module}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[callsheet]\n{prefix} = {module}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """All broken plugins at once, beside a good one."""
    site = tmp_path_factory.mktemp("site")
    for prefix, (code, _) in BROKEN.items():
        distribution(site, prefix, code)
    distribution(site, "good", OPERATION + OFFER)
    distribution(site, "twice", OPERATION + OFFER, name="first")
    distribution(site, "twice", None, name="second")
    return Environment(Path(sys.executable), str(site))


@pytest.fixture(scope="module")
def listed(broken: Environment) -> dict[str, Any]:
    return broken.plugins()


@pytest.mark.parametrize("prefix", BROKEN)
def test_a_broken_plugin_is_named_with_the_reason(listed: dict[str, Any], prefix: str) -> None:
    problem = listed[prefix]["problem"]
    assert problem is not None
    assert BROKEN[prefix][1] in problem
    assert prefix in problem
    assert listed[prefix]["package"] == f"callsheet_{prefix}"


def test_the_others_are_not_hurt(listed: dict[str, Any]) -> None:
    assert (listed["good"]["problem"], listed["good"]["operations"]) == (None, ["good/work"])
    assert listed["std"]["problem"] is None


def test_two_packages_with_one_prefix(listed: dict[str, Any]) -> None:
    assert listed["twice"]["problem"] == 'several packages claim the prefix "twice": first, second'


def test_jobs_that_do_not_use_them_run(broken: Environment, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("note", encoding="utf-8")
    (tmp_path / "job.yaml").write_text(PLAIN, encoding="utf-8")
    assert broken.json("validate", "job.yaml", cwd=tmp_path)["diagnostics"] == []
    assert broken.json("run", "job.yaml", cwd=tmp_path)["status"] == "succeeded"
    assert broken.callsheet("--version").returncode == 0


@pytest.mark.parametrize("prefix", ["importerror", "exits", "classgiven", "badproperty", "halfway"])
def test_a_job_that_uses_one_says_why_it_cannot(broken: Environment, tmp_path: Path, prefix: str) -> None:
    job = f"version: 1\nname: uses\nsteps:\n  - {{id: work, uses: {prefix}/work}}\n"
    (tmp_path / "job.yaml").write_text(job, encoding="utf-8")
    done = broken.callsheet("validate", "job.yaml", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert BROKEN[prefix][1] in done.stderr
    assert "job.yaml:4:" in done.stderr
