"""The MCP tools by name: what each takes, what it promises to answer, and who answers it. One entry per tool.

`outputSchema` names only what the documentation promises, and leaves room for more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from zenflow.sandbox.progress import STATUSES
from zenflow.sandbox.service import account, assets, discovery, helpers, pricing, tasks, templates
from zenflow.sandbox.service import arguments as schema
from zenflow.sandbox.service.arguments import (
    ASSET_IDS,
    COMMENT,
    INPUTS,
    LIMIT,
    OFFSET,
    TEXT,
    UUID,
    arguments,
    choice,
    flag,
)
from zenflow.sandbox.service.request_context import Handler


@dataclass(frozen=True, slots=True)
class McpTool:
    name: str
    description: str
    handler: Handler
    input_schema: dict[str, Any]
    checker: Draft202012Validator
    promises: tuple[str, ...]  # fields of structuredContent that are always there
    reads_only: bool
    destroys: bool = False

    def as_wire(self) -> dict[str, Any]:
        """The tool as `tools/list` shows it."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.input_schema,
            "outputSchema": {
                "type": "object",
                # A refusal is structured too (402 by the documentation), and the TypeScript SDK checks refusals as well.
                "anyOf": [{"required": list(self.promises)}, {"required": ["error_code"]}],
            },
            "annotations": {
                "readOnlyHint": self.reads_only,
                "destructiveHint": self.destroys,
                "idempotentHint": self.reads_only,
                "openWorldHint": True,
            },
        }


_SUBMISSION = {"tool_name": TEXT, "inputs": INPUTS, "comment": COMMENT, "retry_id": UUID}
_WAITING = {"timeout_s": schema.TIMEOUT, "poll_interval_s": schema.INTERVAL}
_PAGE = {"limit": LIMIT, "offset": OFFSET}
_PAGE_FIELDS = "total count offset items has_more"
_WAITED = "task_id tool_name status total done timed_out duration_ms polls calls asset_ids"
HELPERS = ("zencreator_craft_prompt", "zencreator_describe_asset")


def _tool(
    name: str,
    description: str,
    handler: Handler,
    takes: dict[str, Any],
    promises: str,
    *,
    changes: bool = False,
    destroys: bool = False,
) -> McpTool:
    fields = tuple(promises.split())
    return McpTool(
        f"zencreator_{name}", description, handler, takes, schema.validator(takes), fields, not changes, destroys
    )


_DISCOVERY = (
    _tool(
        "list_tools",
        "List every generation tool with its base credit price and availability.",
        discovery.list_tools,
        arguments(include_blocked=flag(True, "If false, drops tools whose models are all blocked.")),
        "count tools",
    ),
    _tool(
        "get_tool_schema",
        "Input and output JSON Schema of one generation tool, its models, and how to write for it.",
        discovery.get_tool_schema,
        arguments("tool_name", tool_name=TEXT),
        "name description price input_schema output_schema",
    ),
    _tool(
        "get_model_prompt_guide",
        "A prompt guide for one model, where there is one.",
        discovery.get_model_prompt_guide,
        arguments("model", model=TEXT),
        "model prompt_guide",
    ),
    _tool(
        "estimate_price",
        "Credits that one candidate input will cost. params is the flat shape of one element of inputs[].",
        pricing.estimate_price,
        arguments("tool_name params", tool_name=TEXT, params={"type": "object"}),
        "tool_name price raw",
    ),
    _tool(
        "compare_prices",
        "Credits for every model of a tool, cheapest first. params without model.",
        pricing.compare_prices,
        arguments(
            "tool_name params",
            tool_name=TEXT,
            params={"type": "object"},
            resolutions={"type": "array", "items": {"type": "string"}, "minItems": 1},
        ),
        "tool_name count prices",
    ),
)

_TASKS = (
    _tool(
        "create_task",
        "Submit 1 to 50 generation calls as one task and return at once. Not idempotent: every call charges.",
        tasks.create_task,
        arguments("tool_name inputs", **_SUBMISSION),
        "id unique_name tool_name status total done created_at",
        changes=True,
    ),
    _tool(
        "run_and_wait",
        "Submit and block until the task ends or timeout_s has passed. Pictures only. Not idempotent.",
        tasks.run_and_wait,
        arguments("tool_name inputs", **_SUBMISSION, **_WAITING),
        _WAITED,
        changes=True,
    ),
    _tool(
        "wait_for_task",
        "Block until a task ends or timeout_s has passed.",
        tasks.wait_for_task,
        arguments("task_id", task_id=UUID, **_WAITING),
        _WAITED,
    ),
    _tool(
        "get_task",
        "State of one task. Outputs are lazy: fetch them with zencreator_get_call_result.",
        tasks.get_task,
        arguments("task_id", task_id=UUID, include_error=flag(False, "Deprecated and ignored.")),
        "id unique_name tool_name status total done inputs calls created_at owner_id",
    ),
    _tool(
        "get_call_result",
        "Output and asset ids of one completed call.",
        tasks.get_call_result,
        arguments("call_id", call_id=UUID),
        "call_id asset_ids",
    ),
    _tool(
        "list_tasks",
        "Tasks of the account, filtered and paginated.",
        tasks.list_tasks,
        arguments(
            tool_name=TEXT,
            status=choice(*STATUSES),
            query={"type": "string", "description": "Substring of the comment."},
            order_by=choice("created_at", "done", "total", default="created_at"),
            direction=choice("asc", "desc", default="desc"),
            **_PAGE,
        ),
        _PAGE_FIELDS,
    ),
    _tool(
        "get_processing_tasks",
        "Per tool, whether a task is in flight.",
        tasks.get_processing_tasks,
        arguments(),
        "tools any_processing",
    ),
    _tool(
        "delete_task",
        "Soft-delete a task. Nothing is refunded.",
        tasks.delete_task,
        arguments("task_id", task_id=UUID),
        "deleted_task_id",
        changes=True,
        destroys=True,
    ),
)

_HELPERS = (
    _tool(
        "craft_prompt",
        "Have a prompt written for a model from a brief. Spends no credits.",
        helpers.craft_prompt,
        arguments(
            "brief tool_name model",
            brief={"type": "string", "minLength": 1, "maxLength": 4000},
            tool_name=TEXT,
            model=TEXT,
            nsfw=flag(False),
            count={"type": "integer", "minimum": 1, "maximum": 4, "default": 1},
            references=schema.REFERENCES,
        ),
        "prompts model_used agent_model",
    ),
    _tool(
        "describe_asset",
        "A factual description of an asset. Spends no credits.",
        helpers.describe_asset,
        arguments("asset_id", asset_id=UUID, force_refresh=flag(False)),
        "asset_id description media_type cached vision_model",
    ),
)

_ASSETS = (
    _tool(
        "upload_asset",
        "Create an asset from exactly one of source_url and data_base64. Not idempotent.",
        assets.upload_asset,
        arguments(
            source_url=TEXT,
            data_base64={"type": "string"},
            filename={"type": "string", "maxLength": 255},
            media_type=choice(*schema.MEDIA_TYPES),
        ),
        "asset_id media_type size_bytes",
        changes=True,
    ),
    _tool(
        "get_asset", "Media type of an asset.", assets.get_asset, arguments("asset_id", asset_id=UUID), "id media_type"
    ),
    _tool(
        "get_asset_download_url",
        "A short-lived URL of the full-resolution original.",
        assets.get_asset_download_url,
        arguments("asset_id", asset_id=UUID),
        "asset_id download_url media_type",
    ),
    _tool(
        "get_asset_download_urls",
        "Short-lived URLs of up to 50 originals; one failure does not fail the rest.",
        assets.get_asset_download_urls,
        arguments("asset_ids", asset_ids=ASSET_IDS),
        "count succeeded failed items",
    ),
    _tool(
        "get_asset_preview_url",
        "A short-lived URL of a reduced preview, not the original.",
        assets.get_asset_preview_url,
        arguments("asset_id", asset_id=UUID, inline=flag(True)),
        "asset_id preview_url media_type",
    ),
    _tool(
        "get_asset_preview_urls",
        "Short-lived URLs of up to 50 reduced previews, not the originals.",
        assets.get_asset_preview_urls,
        arguments("asset_ids", asset_ids=ASSET_IDS, inline=flag(True)),
        "count succeeded failed inlined items",
    ),
)

_TEMPLATES = (
    _tool(
        "list_templates",
        "Public templates, summaries only.",
        templates.list_templates,
        arguments(
            tool_name=TEXT,
            tags={"type": "array", "items": TEXT},
            sort_by=choice("default", "popularity", "new_first", "new_first_popularity", default="popularity"),
            is_nsfw={"type": "boolean"},
            **_PAGE,
        ),
        _PAGE_FIELDS,
    ),
    _tool(
        "search_templates",
        "Templates that fit a few words.",
        templates.search_templates,
        arguments("query", query=TEXT, **_PAGE),
        _PAGE_FIELDS,
    ),
    _tool(
        "get_template",
        "One template with its input.",
        templates.get_template,
        arguments("template_id", template_id=UUID),
        "id tool_name input",
    ),
    _tool(
        "get_template_card",
        "One template as a card: what it does and which assets it wants.",
        templates.get_template_card,
        arguments("template_id", template_id=UUID),
        "id tool_name input required_assets",
    ),
    _tool(
        "use_template",
        "A template as inputs ready for zencreator_create_task.",
        templates.use_template,
        arguments("template_id", template_id=UUID, overrides={"type": "object"}),
        "template_id tool_name inputs",
    ),
)

_ACCOUNT = (
    _tool("get_me", "Profile, credits and gates of the account.", account.get_me, arguments(), "id credits is_trusted"),
    _tool(
        "list_credit_transactions",
        "Credits in and out, newest first.",
        account.list_credit_transactions,
        arguments(**_PAGE),
        _PAGE_FIELDS,
    ),
)

TOOLS: Mapping[str, McpTool] = {
    tool.name: tool for tool in (*_DISCOVERY, *_TASKS, *_HELPERS, *_ASSETS, *_TEMPLATES, *_ACCOUNT)
}


def tools_offered(helpers_present: bool, absent: Collection[str] = ()) -> dict[str, McpTool]:
    lacking = {f"zencreator_{name}" for name in absent} | (set() if helpers_present else set(HELPERS))
    return {name: tool for name, tool in TOOLS.items() if name not in lacking}
