"""Out of credits, gates, and a sign-in that ends: over HTTP, through the command line (docs/service.md, “Troubleshooting”)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BILLING = "https://app.zencreator.pro/billing"


def test_pauses_without_credits_and_continues_after_a_top_up(
    zenflow: Any, serving_sandbox: Any, branches: str, balanced: Any
) -> None:
    with serving_sandbox() as town:
        town.fault(kind="tool_error", tool="create_task", tool_name="upscaler", status=402, times=1)
        said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
        assert (said.status, said.document["status"], said.code) == (4, "stopped", "ZF705")
        assert BILLING in said.hint and "zenflow resume" in said.hint
        assert said.document["credits"]["rest_expected"] == 2
        assert said.document["steps"]["save_small"]["status"] == "done"  # what is paid is saved
        again = zenflow("resume", "--server", town.url, "--yes", "--json")
        assert (again.status, again.document["status"]) == (0, "done")
        assert sorted(town.debits) == [-2, -1]
        balanced(town, again.document)


def test_a_real_empty_account_pauses_the_run_in_the_same_way(zenflow: Any, serving_sandbox: Any, branches: str) -> None:
    """Another client spends what the plan counted on: the service's own 402, and our own look at the balance."""
    with serving_sandbox(credits=5) as town:
        town.fault(kind="tool_error", tool="create_task", tool_name="upscaler", status=402)
        said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
        assert (said.status, said.code) == (4, "ZF705")
        again = zenflow("resume", "--server", town.url, "--yes")
        assert again.status == 4
        assert BILLING in again.out and f"zenflow resume {said.document['run_id']} · about 2 credits" in again.out


def test_refuses_a_low_balance_before_sending(zenflow: Any, serving_sandbox: Any, branches: str) -> None:
    with serving_sandbox(credits=1) as town:
        said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
        assert (said.status, said.code) == (3, "ZF662")
        assert town.posts == 0


ADULT = """\
zenflow: 1
name: gated
budget: 9
{policy}
steps:
  upload:
    uses: upload
    with: {{source: face.jpg}}
  edit:
    uses: image_editor
    with:
      prompt: the same face, studio light
      image_assets:
        - ${{{{ steps.upload.asset_id }}}}
      model: {model}
"""
POLICY = "policy: {nsfw: allow, subjects: consenting-adults}"


@pytest.fixture
def gated(here: Path) -> Any:
    from PIL import Image

    Image.new("RGB", (64, 64), "teal").save(here / "face.jpg")

    def write(model: str, policy: str = "") -> str:
        (here / "gated.yaml").write_text(ADULT.format(model=model, policy=policy))
        return "gated.yaml"

    return write


@pytest.mark.parametrize(
    ("settings", "policy", "consent", "model", "says"),
    [
        ({"trusted": True}, "", False, "GENERAL_NSFW", "nsfw"),  # the recipe's own policy
        ({"trusted": True, "nsfw_allowed": True}, POLICY, False, "GENERAL_NSFW", "nsfw"),  # the workspace's consent
        ({"trusted": True}, POLICY, True, "GENERAL_NSFW", "which the account does not allow"),  # the account's gate
        ({"nsfw_allowed": True}, POLICY, True, "GENERAL_NSFW", "trusted"),  # the other gate
    ],
)
def test_gates_are_checked_before_anything_is_uploaded_or_spent(
    zenflow: Any,
    here: Path,
    serving_sandbox: Any,
    gated: Any,
    settings: dict[str, bool],
    policy: str,
    consent: bool,
    model: str,
    says: str,
) -> None:
    if consent:
        (here / "zenflow.toml").write_text('[policy]\nnsfw = "allow"\n')
    with serving_sandbox(**settings) as town:
        if consent:
            assert zenflow("trust", "--yes", "--server", town.url).status == 0
        said = zenflow("run", gated(model, policy), "--server", town.url, "--yes", "--json")
        assert (said.status, said.document["status"]) == (3, "refused")
        assert zenflow("plan", "gated.yaml", "--server", town.url).status == 3
        checked = zenflow("validate", "gated.yaml", "--server", town.url, "--json")
        assert (checked.status, checked.document["status"]) == (3, "refused")
        assert says in (said.message + said.hint + said.err).lower()
        assert "gated.yaml:15" in said.err  # the line of the model
        asked = town.state["requests"]
    assert "upload_asset" not in asked and "create_task" not in asked


def test_a_mistake_of_the_recipe_comes_before_a_gate(zenflow: Any, town: Any, gated: Any, here: Path) -> None:
    name = gated("GENERAL_NSFW")
    (here / name).write_text((here / name).read_text() + "      prompt_strength: 3\n")
    for words in (("validate",), ("plan",), ("run", "--yes")):
        said = zenflow(words[0], name, *words[1:], "--server", town.url, "--json")
        assert (said.status, said.document["status"]) == (2, "invalid")
        assert {row["code"] for row in said.document["problems"]} >= {"ZF423", "ZF401"}


def test_a_model_that_is_switched_off_is_a_refusal(zenflow: Any, serving_sandbox: Any, branches: str) -> None:
    with serving_sandbox(blocked=("by_prompt:SEEDREAM_5",)) as town:
        said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
        assert (said.status, said.code, town.posts) == (3, "ZF421", 0)


def test_another_model_that_is_switched_off_is_none(zenflow: Any, serving_sandbox: Any, branches: str) -> None:
    with serving_sandbox(blocked=("by_prompt:QWEN_IMAGE",)) as town:
        said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
        assert (said.status, said.document["status"]) == (0, "done")


def test_an_account_that_is_blocked_is_a_refusal_and_said_so(zenflow: Any, serving_sandbox: Any, branches: str) -> None:
    with serving_sandbox(account_blocked=True) as town:
        said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
        assert (said.status, said.code, town.posts) == (3, "ZF660", 0)


def test_fails_a_branch_free_of_cost_when_its_gate_closes(
    zenflow: Any, town: Any, branches: str, balanced: Any
) -> None:
    town.fault(
        kind="tool_error", tool="create_task", tool_name="upscaler", status=403, message="adult content is disabled"
    )
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["status"]) == (1, "failed")
    failed = said.document["steps"]["larger"]["instances"][0]
    assert failed["error"]["code"] == "ZF706" and "adult content" in failed["error"]["message"]
    assert said.document["steps"]["save_small"]["status"] == "done"
    assert town.debits == [-1]
    balanced(town, said.document)


# -------------------------------------------------------------------------------------------------------------- sign-in


@pytest.mark.parametrize("tool", ["create_task", "list_tasks", "get_task", "get_call_result"])
def test_stops_on_an_ended_sign_in_without_a_double_charge(
    zenflow: Any, town: Any, branches: str, balanced: Any, tool: str
) -> None:
    town.fault(kind="http_status", tool=tool, status=401)
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["status"], said.code) == (4, "stopped", "ZF703")
    assert f"`zenflow login --server {town.url}`" in said.hint  # the run's own server, whatever the workspace uses
    assert said.hint.count("zenflow resume") == 1
    town.calm()
    again = zenflow("resume", "--server", town.url, "--yes", "--json")
    assert (again.status, again.document["status"]) == (0, "done")
    assert sorted(town.debits) == [-2, -1]
    balanced(town, again.document)


def test_no_token_where_one_is_needed_says_how_to_sign_in(zenflow: Any, serving_sandbox: Any, branches: str) -> None:
    with serving_sandbox(token="a-token-of-this-test") as town:
        said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
        assert (said.status, said.code) == (4, "ZF703")
        assert "zenflow login" in said.hint


def test_a_token_of_the_environment_is_used_and_never_written(
    zenflow: Any, here: Path, serving_sandbox: Any, branches: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a-token-of-this-test-4711"
    monkeypatch.setenv("ZENFLOW_TOKEN", secret)
    with serving_sandbox(token=secret) as town:
        said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
        assert said.status == 0, said.err
    assert secret not in said.out + said.err
    for path in here.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
