"""Settings: which source wins, what each says of its origin, and what is wrong in a file, with its line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from zenflow.app.config.setting_specs import KEYS
from zenflow.app.config.settings import Settings, load_settings
from zenflow.app.config.settings_file import InvalidSettings
from zenflow.app.config.workspace import find_workspace
from zenflow.errors import UsageError


def settings(
    folder: Path, environment: Mapping[str, str] | None = None, overrides: Mapping[str, tuple[str, str]] | None = None
) -> Settings:
    return load_settings(find_workspace(folder), environment or {}, overrides or {}, current=folder)


def problems_of(folder: Path, text: str) -> list[tuple[str, int, int, str]]:
    (folder / "zenflow.toml").write_text(text)
    with pytest.raises(InvalidSettings) as caught:
        settings(folder)
    found = []
    for problem in caught.value.problems:
        assert problem.place is not None
        found.append((problem.code, problem.place.line, problem.place.column, problem.message))
    return found


def test_uses_the_documented_defaults_without_any_source(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found.server == "sandbox"
    assert found.value("limits.in_flight") == 50
    assert found.value("limits.requests_per_second") == 10
    assert found.value("limits.batch") == 50
    assert found.value("limits.lost_answer_wait") == 120
    assert found.per_run is None and found.per_day is None
    assert not found.allows_nsfw
    assert found.output_dir == tmp_path / "out"
    assert found.state_dir == tmp_path / ".zenflow"
    assert {found.by_key[key.name].origin for key in KEYS} == {"default"}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("127.0.0.1:8765", "Did you mean `http://127.0.0.1:8765/mcp`?"),
        ("localhost:8765/mcp", "Did you mean `http://localhost:8765/mcp`?"),
        ("mcp.example.org", "Did you mean `https://mcp.example.org/mcp`?"),
        ("zencrator", "Did you mean `zencreator`?"),
        ("foo", "For example: `sandbox`, `zencreator`, or `https://host/mcp`."),
    ],
)
def test_a_server_that_cannot_be_is_told_with_what_may_be_meant(tmp_path: Path, word: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings(tmp_path, overrides={"service.server": (word, "--server")})
    assert (caught.value.code, caught.value.hint) == ("ZF020", meant)


def test_takes_the_nearest_settings_file_upwards(tmp_path: Path) -> None:
    (tmp_path / "zenflow.toml").write_text('[output]\ndir = "pictures"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    found = settings(inner)
    assert found.output_dir == tmp_path / "pictures"
    assert found.by_key["output.dir"].origin == "zenflow.toml:2"
    assert found.state_dir == tmp_path / ".zenflow"


def test_command_line_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    (tmp_path / "zenflow.toml").write_text('[service]\nserver = "zencreator"\n[budget]\nper_run = 500\n')
    said = {"service.server": ("http://127.0.0.1:1/mcp", "--server")}
    environment = {"ZENFLOW_SERVER": "sandbox", "ZENFLOW_BUDGET_PER_RUN": "40"}

    assert settings(tmp_path).server == "zencreator"
    assert settings(tmp_path, environment).server == "sandbox"
    assert settings(tmp_path, environment, said).server == "http://127.0.0.1:1/mcp"
    found = settings(tmp_path, environment, said)
    assert (found.per_run, found.by_key["budget.per_run"].origin) == (Decimal(40), "ZENFLOW_BUDGET_PER_RUN")
    assert found.by_key["service.server"].origin == "--server"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_can_be_set_by_its_own_variable(tmp_path: Path, key: object) -> None:
    texts = {"server": "zencreator", "path": "x", "credits": "7", "nsfw": "allow", "layout": "flat", "flag": "true"}
    text = texts.get(key.kind, "3")  # type: ignore[attr-defined]
    found = settings(tmp_path, {key.variable: text})  # type: ignore[attr-defined]
    assert found.by_key[key.name].origin == key.variable  # type: ignore[attr-defined]
    assert str(found.value(key.name)).lower().endswith(text)  # type: ignore[attr-defined]


def test_the_address_of_zencreator_is_zencreator(tmp_path: Path) -> None:
    assert settings(tmp_path, {"ZENFLOW_SERVER": "https://mcp.zncr.pro/mcp"}).server == "zencreator"


def test_a_token_is_known_and_never_shown(tmp_path: Path) -> None:
    found = settings(tmp_path, {"ZENFLOW_TOKEN": "secret-word"})
    assert found.token == "secret-word"
    assert "secret-word" not in repr(found)


def test_reports_an_unknown_key_with_place_and_nearest(tmp_path: Path) -> None:
    text = '[service]\nserver = "sandbox"\nspede = 3\n[limits]\n  per_run = 5\n'
    assert problems_of(tmp_path, text) == [
        ("ZF022", 3, 1, "unknown key `service.spede`"),
        ("ZF022", 5, 3, "unknown key `limits.per_run`"),
    ]


def test_a_key_in_the_wrong_table_is_told_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "zenflow.toml").write_text("[limits]\nper_run = 5\n")
    with pytest.raises(InvalidSettings) as caught:
        settings(tmp_path)
    assert caught.value.problems[0].hint == "Did you mean `per_run` in `[budget]`?"


def test_wrong_values_are_told_all_at_once_each_at_its_value(tmp_path: Path) -> None:
    text = '[budget]\nper_run = "many"\nper_day = -1\n[limits]\nbatch = 51\n[policy]\nnsfw = "maybe"\n'
    assert problems_of(tmp_path, text) == [
        ("ZF023", 2, 11, '`budget.per_run` is "many": a number was expected'),
        ("ZF023", 3, 11, "`budget.per_day` is -1: a number of credits, zero or more was expected"),
        ("ZF023", 5, 9, "`limits.batch` is 51: a whole number from 1 to 50 was expected"),
        ("ZF023", 7, 8, '`policy.nsfw` is "maybe": "deny" or "allow" was expected'),
    ]


def test_text_that_is_no_toml_is_told_with_its_place(tmp_path: Path) -> None:
    [(code, line, column, message)] = problems_of(tmp_path, "[service]\nserver = sandbox\n")
    assert (code, line, column) == ("ZF021", 2, 10)
    assert message.startswith("this is no TOML: ")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zenflow.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        settings(tmp_path)


def test_a_wrong_value_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        settings(tmp_path, {"ZENFLOW_BATCH": "none"})
    assert caught.value.message == "ZENFLOW_BATCH is `none`: a whole number from 1 to 50 was expected."
