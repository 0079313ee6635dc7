from __future__ import annotations

import subprocess
import sys

import pytest

import callsheet_heygen
from callsheet.errors import PluginError
from callsheet.registry import Registry


def test_the_registry_takes_the_plugin():
    registry = Registry({"heygen": callsheet_heygen})
    plugin = registry.plugin("heygen")
    assert set(plugin.operations) == {"upload", "lipsync", "overdub", "translate", "speech", "video"}
    assert plugin.provider is not None
    assert plugin.provider.name == "heygen"
    for operation in plugin.operations.values():
        assert operation.summary.endswith(".")
        assert registry.checker(operation).faults({})  # each needs something


def test_what_heygen_does_not_offer_is_named():
    with pytest.raises(PluginError, match='"heygen" has no operation "heygen/paint"'):
        Registry({"heygen": callsheet_heygen}).resolve("heygen/paint", None)


def test_importing_the_plugin_loads_nothing_heavy():
    heavy = {"yaml", "jsonschema", "httpx", "callsheet.rest"}
    code = f"import sys, callsheet_heygen; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
