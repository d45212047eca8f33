"""docs/sandbox.md names what there is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import yaml

from zenflow.sandbox.faults import KINDS, Rule, rules_from
from zenflow.sandbox.settings import SandboxSettings

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_documents_every_fault_and_rule_key() -> None:
    assert [kind for kind in KINDS if f"`{kind}`" not in PAGE] == []
    assert [entry.name for entry in fields(Rule) if not re.search(rf"\b{entry.name}\b", PAGE)] == []


def test_every_setting_is_documented() -> None:
    assert [entry.name for entry in fields(SandboxSettings) if f"`{entry.name}`" not in PAGE] == []


def test_the_example_of_a_faults_file_is_valid() -> None:
    example = PAGE.partition("```yaml\n")[2].partition("```")[0]
    assert len(rules_from(yaml.safe_load(example))) == 8
