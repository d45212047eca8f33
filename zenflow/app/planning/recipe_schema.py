"""The recipe's schema with the service's tools woven in: an editor then knows each tool's parameters and models.

`recipe/schema/recipe.schema.json` says what every recipe may hold; what is added here is true of one service at one time. Every
value may be an expression, and null (which is not sent), so that each parameter takes those beside its own form.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from zenflow.app.config.settings import Settings
from zenflow.app.planning.offline import snapshot_of
from zenflow.app.queries.tools import tools
from zenflow.catalog.check import ALWAYS_REQUIRED
from zenflow.catalog.model import Catalog, Model, Tool
from zenflow.recipe.actions import ACTION_PARAMETERS
from zenflow.recipe.schema.structure import recipe_schema

_EXPRESSION = {"$ref": "#/$defs/expression"}
_NULL = {"type": "null", "description": "Not sent."}
_A_RECIPE = {
    "type": "string",
    "pattern": r"[/\\]|\.ya?ml$",
    "description": "A path to another recipe: `./portrait.yaml`.",
}
_SHOWN = ("description", "title", "default", "examples")


async def schema_of(settings: Settings, *, offline: bool = False) -> dict[str, Any]:
    """The schema for the server in force; `offline`: from the last snapshot."""
    return woven(snapshot_of(settings) if offline else await tools(settings))


def woven(catalog: Catalog) -> dict[str, Any]:
    """The recipe's schema for the tools of a catalog."""
    schema = copy.deepcopy(recipe_schema())
    schema.pop("$id", None)
    schema["title"] = f"{schema.get('title', 'A zenflow recipe')}, with the tools of {catalog.server}"
    forms = {str(name): dict(form) for name, form in ACTION_PARAMETERS.items()}
    told = {name: f"Action {name}." for name in forms}
    for name, tool in catalog.tools.items():
        forms[name] = _form(tool, schema["$defs"])
        told[name] = tool.description
    step = schema["$defs"]["step"]
    uses = step["properties"]["uses"]
    names = [{"const": name, "description": told[name] or name} for name in forms]
    step["properties"]["uses"] = {**{k: v for k, v in uses.items() if k in _SHOWN}, "anyOf": [*names, _A_RECIPE]}
    step["allOf"] = [_branch(name, form) for name, form in forms.items()]
    return schema


def _branch(name: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """Where `uses` is this, `with` takes that."""
    then: dict[str, Any] = {"properties": {"with": _with(form)}}
    if form.get("required"):
        then["required"] = ["with"]
    return {"if": {"required": ["uses"], "properties": {"uses": {"const": name}}}, "then": then}


def _with(form: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": form.get("description", "Its parameters."),
        "type": "object" if form.get("required") else ["object", "null"],
        "properties": {name: loosened(inner) for name, inner in form.get("properties", {}).items()},
        "required": list(form.get("required", ())),
    }
    if form.get("additionalProperties") is False:
        made["additionalProperties"] = False
    return made


def loosened(schema: Any) -> Any:
    """A parameter's schema that also takes an expression, at any depth, and null."""
    if not isinstance(schema, Mapping):
        return schema
    inner = dict(schema)
    shown = {key: inner[key] for key in _SHOWN if key in inner}
    for key in ("items", "additionalProperties"):
        if isinstance(inner.get(key), Mapping):
            inner[key] = loosened(inner[key])
    if isinstance(inner.get("properties"), Mapping):
        inner["properties"] = {name: loosened(one) for name, one in inner["properties"].items()}
    return {**shown, "anyOf": [inner, _EXPRESSION, _NULL]}


def _form(tool: Tool, shared: dict[str, Any]) -> dict[str, Any]:
    """A tool's input schema with its models by name, what zenflow requires, and its definitions moved to the top."""
    form = _moved(tool.input_schema, tool.name)
    for key in ("$defs", "definitions"):
        for name, inner in form.pop(key, {}).items():
            shared[f"{tool.name}.{name}"] = inner
    properties = dict(form.get("properties", {}))
    if "model" in properties and tool.models:
        properties["model"] = {
            "description": properties["model"].get("description") or f"A model of {tool.name}.",
            "anyOf": [_model(one) for one in tool.models if not one.blocked],
        }
        if tool.default_model is not None:
            properties["model"]["default"] = tool.default_model
    promoted = [name for name in ALWAYS_REQUIRED if name in properties]
    required = list(dict.fromkeys((*form.get("required", ()), *promoted)))
    closed = form.get("additionalProperties", False) is False
    return {
        "description": f"What {tool.name} takes.",
        "properties": properties,
        "required": required,
        "additionalProperties": not closed,
    }


def _model(model: Model) -> dict[str, Any]:
    marks = [
        word for word, held in (("trusted accounts only", model.trusted_only), ("adult content", model.adult)) if held
    ]
    return {"const": model.value, "description": " · ".join([model.description or model.value, *marks])}


def _moved(schema: Any, tool: str) -> Any:
    """A copy in which references into the tool's own definitions lead to the top of the recipe's schema."""
    if isinstance(schema, Mapping):
        found = {key: _moved(value, tool) for key, value in schema.items()}
        ref = found.get("$ref")
        if isinstance(ref, str) and ref.startswith(("#/$defs/", "#/definitions/")):
            found["$ref"] = f"#/$defs/{tool}.{ref.rpartition('/')[2]}"
        return found
    return [_moved(one, tool) for one in schema] if isinstance(schema, list) else schema
