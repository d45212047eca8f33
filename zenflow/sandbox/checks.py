"""What the service refuses before any credit is spent: shape, models, gates and assets of each input.

Everything that is wrong with a submission is named at once, by place (`inputs[3].ratio`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from zenflow.sandbox.offers.catalogue import BY_NAME
from zenflow.sandbox.offers.model import Inputs, MediaKind, Offer, OfferedModel
from zenflow.sandbox.refusals import Refusal, invalid
from zenflow.sandbox.settings import SandboxSettings

MediaTypeOf = Callable[[str], str | None]  # of an asset of this account; None: no such asset
Violation = tuple[str, str]


@cache
def _validator(tool_name: str) -> Draft202012Validator:
    return Draft202012Validator(BY_NAME[tool_name].input_schema, format_checker=FormatChecker(["uuid"]))


def offer_named(tool_name: object) -> Offer:
    """The generation tool, or 404 with the valid names."""
    offer = BY_NAME.get(tool_name) if isinstance(tool_name, str) else None
    if offer is None:
        names = list(BY_NAME)
        raise Refusal(404, f"unknown tool_name {tool_name!r}. Valid names: {', '.join(names)}.", valid_names=names)
    return offer


def place(base: str, path: Sequence[str | int]) -> str:
    """`inputs[3].image_assets[0]`."""
    text = base
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def violations_of(error: ValidationError, base: str) -> list[Violation]:
    """One schema error in the words of the field it is about."""
    where = list(error.absolute_path)
    if error.validator == "required" and isinstance(error.instance, dict):
        missing = [name for name in _listed(error.validator_value) if name not in error.instance]
        return [(place(base, [*where, name]), "is required") for name in missing[:1]]
    if error.validator == "additionalProperties" and isinstance(error.schema, Mapping):
        allowed = error.schema.get("properties", {})
        extra = [name for name in _listed(error.instance) if name not in allowed]
        return [(place(base, [*where, name]), "is not a field of this tool") for name in extra]
    return [(place(base, where), error.message)]


def _listed(names: Any) -> list[str]:
    return list(names)


def shape_violations(offer: Offer, inputs: object, base: str) -> list[Violation]:
    """Everything that the tool's input schema has against one input, each said once."""
    if not isinstance(inputs, dict):
        return [(base, "must be an object")]
    found: dict[Violation, None] = {}
    missing = [name for name in offer.input_schema["required"] if name not in inputs]
    for name in missing:
        why = " (this tool is priced by resolution)" if name == "resolution" else ""
        found[(place(base, [name]), f"is required{why}")] = None
    for error in _validator(offer.name).iter_errors(inputs):
        if error.validator == "required" and not error.absolute_path:
            continue
        found.update(dict.fromkeys(violations_of(error, base)))
    return list(found)


def model_violations(offer: Offer, inputs: Inputs, base: str) -> list[Violation]:
    """A model that the tool does not have, or one that cannot do what is asked."""
    if not offer.models:
        return []
    value = inputs.get("model")
    model = offer.model_named(value)
    if model is None:
        names = ", ".join(candidate.value for candidate in offer.models)
        return [(place(base, ["model"]), f"{value!r} is not a model of {offer.name}; models: {names}")]
    resolution = inputs.get("resolution")
    if model.resolutions and resolution is not None and resolution not in model.resolutions:
        return [(place(base, ["resolution"]), f"{model.value} gives {', '.join(model.resolutions)} only")]
    return []


def asset_ids_in(offer: Offer, inputs: Inputs) -> list[tuple[list[str | int], str, tuple[MediaKind, ...]]]:
    """Where an input names assets, which, and of what kind they must be."""
    found: list[tuple[list[str | int], str, tuple[MediaKind, ...]]] = []
    for name, kinds in offer.asset_fields.items():
        value = inputs.get(name)
        if isinstance(value, list):
            found += [([name, index], asset_id, kinds) for index, asset_id in enumerate(value)]
        elif value is not None:
            found.append(([name], value, kinds))
    return found


def asset_violations(offer: Offer, inputs: Inputs, base: str, media_type_of: MediaTypeOf) -> list[Violation]:
    found: list[Violation] = []
    for where, asset_id, kinds in asset_ids_in(offer, inputs):
        media_type = media_type_of(asset_id)
        if media_type is None:
            found.append((place(base, where), f"no asset {asset_id}"))
        elif media_type.partition("/")[0] not in kinds:
            found.append((place(base, where), f"asset {asset_id} is {media_type}, expected {' or '.join(kinds)}"))
    return found


def blocked_models(offer: Offer, settings: SandboxSettings) -> list[str]:
    """Models switched off; `["*"]`: all of them."""
    if offer.name in settings.blocked:
        return ["*"]
    return [model.value for model in offer.models if f"{offer.name}:{model.value}" in settings.blocked]


def pass_gates(offer: Offer, model: OfferedModel | None, settings: SandboxSettings) -> None:
    """Blocked, trusted-only and adult models; the same answer for a price question and a submission."""
    blocked = blocked_models(offer, settings)
    if blocked == ["*"]:
        raise Refusal(403, f"{offer.name} is blocked at the moment.", reason="blocked")
    if model is None:
        return
    if model.value in blocked:
        raise Refusal(403, f"model {model.value} of {offer.name} is blocked at the moment.", reason="blocked")
    if model.trusted_only and not settings.trusted:
        raise Refusal(
            403,
            f"model {model.value} of {offer.name} is (trusted): Trusted Status is granted automatically after your "
            "first successful payment. Make that first payment, or pick a non-trusted model.",
            reason="trusted_only",
            model=model.value,
        )
    if model.adult and not settings.nsfw_allowed:
        raise Refusal(
            403,
            f"Adult content is disabled on this account, and model {model.value} needs it. Nothing was charged. "
            "Enable it in your account settings at https://app.zencreator.pro.",
            reason="nsfw_disabled",
            model=model.value,
        )
    if model.adult and not settings.trusted:
        raise Refusal(
            403,
            f"Adult work needs both nsfw_allowed and is_trusted on the account, and model {model.value} is for it.",
            reason="trusted_only",
            model=model.value,
        )


def check_submission(
    offer: Offer, inputs: Sequence[Any], settings: SandboxSettings, media_type_of: MediaTypeOf
) -> None:
    """All inputs of a task; raises 422 with every violation, or 403 for the first closed gate."""
    if settings.account_blocked:
        raise Refusal(403, "this account is blocked.", reason="account_blocked")
    if settings.account_inactive:
        raise Refusal(403, "this account is not active.", reason="account_inactive")
    found: list[Violation] = []
    for index, element in enumerate(inputs):
        base = f"inputs[{index}]"
        wrong = shape_violations(offer, element, base)
        if not wrong:
            wrong = model_violations(offer, element, base) + asset_violations(offer, element, base, media_type_of)
        found += wrong
    if found:
        raise invalid(found, f"the inputs do not satisfy the input_schema of {offer.name}")
    for model in {offer.model_named(element.get("model")) for element in inputs}:
        pass_gates(offer, model, settings)


def check_params(
    offer: Offer, params: Mapping[str, Any], settings: SandboxSettings, media_type_of: MediaTypeOf
) -> None:
    """One candidate input of a price question: what submission would refuse, this refuses.

    Whether its assets exist is not asked (chosen by us): a price is wanted before an earlier step has made them. The
    page can be read otherwise ("the same payload would be rejected by create_task"): `prices_want_assets`.
    """
    found = shape_violations(offer, params, "params") or model_violations(offer, params, "params")
    if not found and settings.prices_want_assets:
        found = asset_violations(offer, params, "params", media_type_of)
    if found:
        raise invalid(found, f"params do not satisfy the input_schema of {offer.name}")
    pass_gates(offer, offer.model_named(params.get("model")), settings)
