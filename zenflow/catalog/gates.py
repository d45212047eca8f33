"""Which models a call may use: known, not blocked, allowed by the account's gates and by policy.

Source: docs/service.md, “Troubleshooting” and “Account”. The service would say the same with 403 or 422, later; here
it is said beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zenflow.catalog.field_path import NOWHERE, FieldPath
from zenflow.catalog.model import Account, Model, Tool
from zenflow.catalog.schema import Schema
from zenflow.problems import Place, Problem
from zenflow.suggest import did_you_mean

UNKNOWN_MODEL = "ZF420"
BLOCKED = "ZF421"
TRUSTED_ONLY = "ZF422"
ADULT_BY_POLICY = "ZF423"
ADULT_BY_WORKSPACE = "ZF424"
ADULT_BY_ACCOUNT = "ZF425"
MODEL_CONSTRAINT = "ZF426"
NO_DEFAULT = "ZF427"

SETTINGS_URL = "https://app.zencreator.pro"  # the service's own pages, as its documentation names them
BILLING_URL = "https://app.zencreator.pro/billing"
_GET_TRUSTED = f"Trusted Status comes with the first payment: {BILLING_URL}."


@dataclass(frozen=True, slots=True)
class Gates:
    """What stands between a call and the models it may use. `account` None: not known, so not judged."""

    nsfw: Literal["deny", "allow"] = "deny"  # the recipe's policy
    consent_nsfw: bool = False  # the workspace's
    account: Account | None = None


def check_model(
    tool: Tool, params: Mapping[str, Any], fields: Mapping[str, Schema], gates: Gates, where: FieldPath
) -> Iterator[Problem]:
    """Everything there is to say about the model of one call. One that is not known yet is judged before sending."""
    if tool.blocked:
        yield Problem(
            BLOCKED,
            f"`{tool.name}` is blocked on this service at the moment",
            where.uses(),
            "Use another tool, or try later.",
            refuses=True,
        )
    account = gates.account
    if tool.trusted_only and account is not None and not account.is_trusted:
        hint = f"{_GET_TRUSTED} Or use another tool."
        yield Problem(
            TRUSTED_ONLY, f"`{tool.name}` is for trusted accounts, and yours is not", where.uses(), hint, refuses=True
        )
    if not tool.models:
        return
    value = params.get("model", tool.default_model)
    if value is None and "model" in fields and "model" not in tool.required:
        yield _unnamed(tool, gates, where)
    if not isinstance(value, str):
        return  # pending, absent, or of a wrong type, which the schema says
    written = "model" in params
    place = where.value(("model",)) if written else where.uses()
    model = tool.model(value)
    if model is None:
        yield _unknown(tool, value, place)
        return
    yield from _closed(tool, model, written, gates, place)
    yield from _constraints(model, params, fields, where)


def is_open(tool: Tool, model: Model, gates: Gates) -> bool:
    """Whether nothing forbids this model."""
    return not model.blocked and not any(_closed(tool, model, True, gates, None))


def check_nsfw(params: Mapping[str, Any], gates: Gates, where: FieldPath = NOWHERE) -> Iterator[Problem]:
    """The parameter `nsfw: true` of any tool or action."""
    if params.get("nsfw") is True:
        yield from _adult("`nsfw: true`", gates, where.value(("nsfw",)))


def _unnamed(tool: Tool, gates: Gates, where: FieldPath) -> Problem:
    """What the service would do then is not known: it may refuse, or choose one that no policy has seen."""
    said = f"`{tool.name}` has no default model, and none is named"
    return Problem(NO_DEFAULT, said, where.uses(), f"Add `model: …`.{_open_names(tool, gates)}")


def _unknown(tool: Tool, value: str, place: Place | None) -> Problem:
    names = [model.value for model in tool.models]
    twin = next((name for name in names if name.lower() == value.lower()), None)
    near = f"Did you mean `{twin}`? Capitals count." if twin else did_you_mean(value, names)
    hint = " ".join(filter(None, (near, f"Models of `{tool.name}`: {', '.join(names)}.")))
    return Problem(UNKNOWN_MODEL, f"`{tool.name}` has no model `{value}`", place, hint)


def _closed(tool: Tool, model: Model, written: bool, gates: Gates, place: Place | None) -> Iterator[Problem]:
    name = f"model `{model.value}`" if written else f"`{model.value}`, the default model of `{tool.name}`,"
    if model.blocked:
        said = f"{name} is blocked on this service at the moment"
        yield Problem(BLOCKED, said, place, "Name another model.", refuses=True)
    account = gates.account
    if model.trusted_only and account is not None and not account.is_trusted:
        hint = f"{_GET_TRUSTED} Or name a model that is not marked trusted."
        others = _open_names(tool, gates)
        said = f"{name} is for trusted accounts, and yours is not"
        yield Problem(TRUSTED_ONLY, said, place, hint + others, refuses=True)
    if model.adult:
        yield from _adult(name, gates, place, _open_names(tool, gates), trust=not model.trusted_only)


def _open_names(tool: Tool, gates: Gates) -> str:
    trusted = gates.account is None or gates.account.is_trusted
    names = [m.value for m in tool.models if not m.adult and not m.blocked and (trusted or not m.trusted_only)]
    return f" Open to you: {', '.join(names)}." if names else ""


def _adult(what: str, gates: Gates, place: Place | None, others: str = "", *, trust: bool = True) -> Iterator[Problem]:
    """Yield what forbids adult work; `trust` False: the missing trust is told already."""
    if gates.nsfw != "allow":
        hint = "The recipe would have to say `policy: {nsfw: allow}`." + others
        said = f"{what} makes adult content, which this recipe's policy denies"
        yield Problem(ADULT_BY_POLICY, said, place, hint, refuses=True)
        return
    if not gates.consent_nsfw:
        hint = 'The workspace would have to say so too: `[policy] nsfw = "allow"` in zenflow.toml.' + others
        said = f"{what} makes adult content, which this workspace does not allow"
        yield Problem(ADULT_BY_WORKSPACE, said, place, hint, refuses=True)
    if gates.account is not None and not gates.account.nsfw_allowed:
        hint = f"Switch it on in the account's settings: {SETTINGS_URL}." + others
        said = f"{what} makes adult content, which the account does not allow"
        yield Problem(ADULT_BY_ACCOUNT, said, place, hint, refuses=True)
    if trust and gates.account is not None and not gates.account.is_trusted:
        said = f"{what} makes adult content, which needs a trusted account, and yours is not"
        yield Problem(TRUSTED_ONLY, said, place, _GET_TRUSTED + others, refuses=True)


def _constraints(
    model: Model, params: Mapping[str, Any], fields: Mapping[str, Schema], where: FieldPath
) -> Iterator[Problem]:
    """`input_constraints` of a model row, where it is a list of values that the field's own schema knows too.

    Its shape is not documented (docs/service.md, “Generation” only names it): anything else in it is left to the service.
    """
    rules = model.row.get("input_constraints")
    for name, allowed in rules.items() if isinstance(rules, Mapping) else ():
        known = fields.get(name, {}).get("enum")
        value = params.get(name)
        if not (isinstance(allowed, list) and allowed and isinstance(known, list) and all(a in known for a in allowed)):
            continue
        if isinstance(value, (str, int)) and value in known and value not in allowed:
            hint = f"With this model: {', '.join(map(str, allowed))}."
            yield Problem(
                MODEL_CONSTRAINT, f"model `{model.value}` cannot do `{name}: {value}`", where.value((name,)), hint
            )
