"""The actions of the language page: their parameters as JSON Schema, and what they give as types.

Sources: docs/language.md, “Actions”; the service's own limits from its documentation of `craft_prompt` (brief at most
4,000 characters, count 1 to 4, descriptions of references at most 800) and `describe_asset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.expr.values import ANY, ASSET, INTEGER, NUMBER, WORDS, Type
from zenflow.media.types import UPLOAD_TYPES
from zenflow.recipe.model import Action

_ASSET_ID = {"type": "string", "format": "uuid", "description": "The id of an asset."}
_ASSET_IDS = {"type": "array", "items": _ASSET_ID, "description": "Ids of assets."}
_NAME = {
    # No type: it is rendered per file, and `${{ index }}` alone will do. `plan/analysis/file_names` says what cannot be a name.
    "minLength": 1,
    "description": "The name of each file, without its ending; `/` makes folders. Default: `STEP-INDEX`.",
    "examples": ["${{ index }}"],
}


def _parameters(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_SAVE = _parameters({"asset_ids": _ASSET_IDS, "asset_id": _ASSET_ID, "name": _NAME}, [])

ACTION_PARAMETERS: Mapping[Action, Mapping[str, Any]] = {
    "upload": _parameters(
        {
            "source": {
                "type": "string",
                "minLength": 1,
                "description": "A path, an http(s) URL, a data: URL, or the UUID of an asset, which is passed through.",
                "examples": ["${{ inputs.photo }}"],
            },
            "media_type": {
                "type": "string",
                "enum": list(UPLOAD_TYPES),
                "description": "What the source is. Default: by its bytes, or as its server says.",
            },
        },
        ["source"],
    ),
    "describe": _parameters(
        {
            "asset_id": {**_ASSET_ID, "examples": ["${{ steps.upload.asset_id }}"]},
            "force_refresh": {"type": "boolean", "default": False, "description": "Describe it anew."},
        },
        ["asset_id"],
    ),
    "craft_prompt": _parameters(
        {
            "brief": {
                "type": "string",
                "minLength": 1,
                "maxLength": 4000,
                "description": "What is wanted, in plain words.",
                "examples": ["${{ item }}, the same person"],
            },
            "tool_name": {
                "type": "string",
                "minLength": 1,
                "description": "The generation tool that the prompt is for.",
                "examples": ["image_editor"],
            },
            "model": {
                "type": "string",
                "minLength": 1,
                "description": "The model that the prompt is for.",
                "examples": ["SEEDREAM_5"],
            },
            "nsfw": {"type": "boolean", "default": False, "description": "Adult content, where the policy allows it."},
            "count": {
                "type": "integer",
                "minimum": 1,
                "maximum": 4,
                "default": 1,
                "description": "How many different prompts.",
            },
            "references": {
                "type": "array",
                "description": "The assets that the generation will use.",
                "items": _parameters(
                    {
                        "asset_id": _ASSET_ID,
                        "role": {"type": "string", "description": "What the asset is for."},
                        "description": {"type": "string", "maxLength": 800, "description": "What it shows."},
                    },
                    ["asset_id"],
                ),
            },
        },
        ["brief", "tool_name", "model"],
    ),
    "download": _SAVE,
    "preview": _SAVE,
    "pick": _parameters(
        {
            "asset_ids": {**_ASSET_IDS, "examples": ["${{ steps.generate.asset_ids }}"]},
            "count": {"type": "integer", "minimum": 1, "default": 1, "description": "How many may be picked at most."},
            "question": {"type": "string", "minLength": 1, "description": "What is asked."},
        },
        ["asset_ids"],
    ),
}

_ASSETS = Type("array", items=ASSET)
_FILE = Type(
    "object",
    fields={"path": WORDS, "asset_id": ASSET, "media_type": WORDS, "bytes": INTEGER, "sha256": WORDS},
)
_SAVED: Mapping[str, Type] = {"files": Type("array", items=_FILE), "asset_ids": _ASSETS, "asset_id": ASSET}
_PROMPT = Type("object", fields={"prompt": WORDS, "rationale": WORDS})

ACTION_RESULTS: Mapping[Action, Mapping[str, Type]] = {
    "upload": {"asset_id": ASSET, "media_type": WORDS, "size_bytes": INTEGER},
    "describe": {"asset_id": ASSET, "description": WORDS, "media_type": WORDS},
    "craft_prompt": {"prompts": Type("array", items=_PROMPT), "prompt": WORDS},
    "download": _SAVED,
    "preview": _SAVED,
    "pick": {"asset_ids": _ASSETS, "asset_id": ASSET},
}

TOOL_RESULTS: Mapping[str, Type] = {
    "asset_ids": _ASSETS,
    "asset_id": ASSET,
    "output": ANY,
    "call_id": WORDS,
    "task_id": WORDS,
    "credits": NUMBER,
}

TOLERATES_MISSING_INPUTS: frozenset[str] = frozenset({"download", "preview"})  # they and `outputs`
