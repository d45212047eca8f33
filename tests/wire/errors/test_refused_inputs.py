"""422, 400, 403 and 404: told with the server's words at the recipe's line; that branch only (docs/service.md,
“Troubleshooting” and “Generation”)."""

from __future__ import annotations

from typing import Any

import pytest

SAID = "the input is not right\n- inputs[0].ratio: '4:3' is not one of '1:1', '16:9'"


@pytest.mark.parametrize("status", [422, 400])
def test_points_a_refused_input_at_its_line(zenflow: Any, town: Any, branches: str, balanced: Any, status: int) -> None:
    town.fault(kind="tool_error", tool="create_task", tool_name="by_prompt", status=status, message=SAID)
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["status"], said.code) == (1, "failed", "ZF708")
    assert "branches.yaml:10:14: inputs[0].ratio: '4:3' is not one of '1:1', '16:9'" in said.message
    assert town.debits == [] and said.document["credits"]["charged"] == 0
    balanced(town, said.document)


def test_fails_only_the_branch_of_a_refused_input(zenflow: Any, town: Any, branches: str, balanced: Any) -> None:
    wrong = "validation failed\n- inputs[0].output_format: 'png' is not one of 'jpeg'"
    town.fault(kind="tool_error", tool="create_task", tool_name="upscaler", status=422, message=wrong)
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert said.status == 1
    assert "branches.yaml:15:22: inputs[0].output_format" in said.message
    assert said.document["steps"]["save_small"]["status"] == "done"
    assert said.document["steps"]["save_hill"]["status"] in ("blocked", "failed", "skipped")
    assert town.debits == [-1]
    balanced(town, said.document)


def test_a_refusal_without_places_points_at_the_tool(zenflow: Any, town: Any, branches: str) -> None:
    town.fault(kind="tool_error", tool="create_task", tool_name="upscaler", status=400, message="this cannot be done")
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert "branches.yaml:12:11: this cannot be done" in said.message


def test_one_bad_input_of_many_does_not_sink_the_others(zenflow: Any, town: Any, many: str, balanced: Any) -> None:
    wrong = "validation failed\n- inputs[2].positive_prompt: is not allowed here"
    town.fault(kind="tool_error", tool="create_task", status=422, message=wrong, times=1)
    said = zenflow("run", many, "--server", town.url, "--yes", "--json")
    assert said.status == 1
    statuses = [one["status"] for one in said.document["steps"]["make"]["instances"]]
    assert sorted(statuses) == ["done", "done", "done", "failed"]
    assert len(said.document["files"]) == 3  # three pictures are saved although the fourth has failed
    assert sum(town.debits) == -3
    balanced(town, said.document)


@pytest.mark.parametrize(("status", "code"), [(403, "ZF706"), (404, "ZF707")])
def test_fails_a_branch_on_foreign_assets_free_of_charge(
    zenflow: Any, town: Any, branches: str, status: int, code: str
) -> None:
    town.fault(kind="tool_error", tool="create_task", tool_name="upscaler", status=status, message="it is not for you")
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert (said.status, said.code) == (1, code)
    assert "it is not for you" in said.message
    assert town.debits == [-1]


@pytest.mark.parametrize("status", [403, 404])
def test_never_repeats_a_paid_task_that_was_taken_away(zenflow: Any, town: Any, branches: str, status: int) -> None:
    town.fault(kind="tool_error", tool="get_task", status=status, message="the task is gone")
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["status"]) == (4, "stopped")
    assert [call["why"] for call in said.document["open_calls"]] == ["late"]  # the listing shows it still
    assert zenflow("resume", "--server", town.url, "--yes", "--json").status in (1, 4)
    assert town.debits == [-1] and town.posts == 1
    town.calm()
    again = zenflow("resume", "--server", town.url, "--yes", "--json")
    assert (again.status, again.document["status"]) == (0, "done"), again.err
    assert sorted(town.debits) == [-2, -1] and town.posts == 2


def test_an_asset_that_is_gone_fails_its_own_file_and_names_it(zenflow: Any, town: Any, many: str) -> None:
    town.fault(kind="download_404", nth=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    said = zenflow("run", many, "--server", town.url, "--yes", "--json")
    assert said.status == 1
    assert "HTTP 404" in said.message
    town.calm()
    again = zenflow("resume", "--server", town.url, "--yes", "--json")
    assert (again.status, len(again.document["files"])) == (0, 4)
    assert sum(town.debits) == -4
