"""Rules of mishaps: which request they happen to, and how mistakes in a faults file are reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zenflow.sandbox.faults import Faults, rules_from, rules_in
from zenflow.sandbox.service.fault_effects import fault_effects_of


def happened(rule: dict[str, Any], requests: int = 12, request: str = "create_task", **arguments: Any) -> list[int]:
    faults = Faults(rules_from([rule]), seed=1)
    return [number for number in range(1, requests + 1) if faults.draw(request, arguments).rules]


def test_a_rule_happens_to_the_requests_that_it_counts() -> None:
    assert happened({"kind": "drop", "tool": "zencreator_create_task", "nth": [2, 5]}) == [2, 5]
    assert happened({"kind": "drop", "tool": "create_task", "nth": 3}) == [3]
    assert happened({"kind": "drop", "every": 4}) == [4, 8, 12]
    assert happened({"kind": "drop", "times": 2}) == [1, 2]
    assert happened({"kind": "drop", "tool": "get_task"}) == []


def test_a_rule_for_one_generation_tool_leaves_the_others_alone() -> None:
    rule = {"kind": "call_fails", "tool_name": "upscaler"}
    assert happened(rule, 2, tool_name="upscaler") == [1, 2]
    assert happened(rule, 2, tool_name="image_editor") == []


def test_a_probability_follows_the_seed() -> None:
    rule = {"kind": "drop", "probability": 0.3}
    first = happened(rule, 1000)
    assert first == happened(rule, 1000)
    assert 230 < len(first) < 370


def test_kinds_keep_to_the_requests_that_they_can_happen_to() -> None:
    assert happened({"kind": "calls_shuffled"}, 1, "list_tasks") == []
    assert happened({"kind": "download_404"}, 1, "files") == [1]
    assert happened({"kind": "http_status"}, 1, "files") == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([{"kind": "dropp"}], "did you mean 'drop'"),
        ([{"kind": "drop", "nht": 2}], "did you mean 'nth'"),
        ([{"kind": "drop", "when": "during"}], "before or after"),
        ([{"kind": "http_status", "status": 7}], "not an HTTP status"),
        ([{}], "fault 0: its kind is missing"),
        ([{"kind": "drop", "every": 0}], "every is a number from 1"),
        ([{"kind": "slow", "seconds": "long"}], "seconds is a number, not 'long'"),
        ([{"kind": "drop", "nth": [1, "two"]}], "nth is a number, not 'two'"),
        (["drop"], "expected a mapping"),
        ({"rules": []}, "expected a list"),
    ],
)
def test_a_mistake_in_a_faults_file_is_named(document: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rules_from(document)


def test_reports_a_faults_file_that_is_not_yaml(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("faults: [")
    with pytest.raises(ValueError, match="it is not YAML"):
        rules_in(tmp_path / "f.yaml")


def test_a_faults_file_nested_too_deeply_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("[" * 5000)
    with pytest.raises(ValueError, match="nested too deeply"):
        rules_in(tmp_path / "f.yaml")


def test_faults_are_read_from_yaml_and_json(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("faults:\n  - {kind: drop, nth: 2, when: after}\n")
    (tmp_path / "f.json").write_text('[{"kind": "drop", "nth": 2, "when": "after"}]')
    assert rules_in(tmp_path / "f.yaml") == rules_in(tmp_path / "f.json")


def test_what_becomes_of_a_task_follows_its_rules() -> None:
    rules = rules_from(
        [
            {"kind": "partial", "refund": "later"},
            {"kind": "call_never_ends", "calls": [0]},
            {"kind": "price_moves", "by": 2},
            {"kind": "hidden_task", "seconds": 9},
        ]
    )
    effects = fault_effects_of(Faults(rules).draw("create_task", {}), total=4)
    assert effects.failing == frozenset({3}) and effects.endless == frozenset({0})
    assert (effects.refund_after_s, effects.price_shift, effects.hidden_s) == (3600, 2, 9)
