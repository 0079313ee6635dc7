"""The cases of specs/cases: each job file gives exactly the diagnostics that are written down beside it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from callsheet.cli.main import run

CASES = Path(__file__).resolve().parents[3] / "specs/cases"
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))
KEYS = ("file", "line", "column", "severity", "code")


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # the command sets its own
    monkeypatch.chdir(CASES)  # diagnostics name files as the user did
    code = run(["validate", "--json", f"{name}.yaml"])
    printed = capsys.readouterr()
    assert printed.out, printed.err
    answer: dict[str, Any] = json.loads(printed.out)
    expected = json.loads((CASES / f"{name}.expected.json").read_text(encoding="utf-8"))
    assert [{key: found[key] for key in KEYS} for found in answer["diagnostics"]] == expected
    valid = not any(problem["severity"] == "error" for problem in expected)
    assert (answer["valid"], code) == (valid, 0 if valid else 2)
    assert all(found["message"] for found in answer["diagnostics"])


def test_every_case_says_what_to_expect() -> None:
    assert sorted(path.name.removesuffix(".expected.json") for path in CASES.glob("*.expected.json")) == NAMES
    assert len(NAMES) > 50


def test_validation_leaves_nothing_behind() -> None:
    assert not (CASES / ".callsheet").exists()
    assert not (CASES / "out").exists()
