"""Templates: a generation tool with a ready input and tags.

The page is known in part (docs/service.md, “Templates”): the fields of an item, the parameters of search, get, card
and use, and whether
`use` submits are unknown. All templates here, their fields, and that `use` only returns what to submit are chosen by
us.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zenflow.sandbox.identity import made_id
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.answers import Answer, page
from zenflow.sandbox.service.request_context import Arguments, RequestContext


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTemplate:
    title: str
    description: str
    tool_name: str
    inputs: dict[str, Any]
    tool_tags: tuple[str, ...]
    purpose_tags: tuple[str, ...]
    popularity: int
    needs: tuple[str, ...] = field(default=())  # asset fields that the user fills in

    @property
    def template_id(self) -> str:
        return made_id("template", self.title)


TEMPLATES = (
    OfferedTemplate(
        title="Studio portrait",
        description="A calm portrait in front of seamless grey.",
        tool_name="image_editor",
        inputs={"prompt": "Studio portrait of the person in image 1, seamless grey, softbox.", "model": "SEEDREAM_5"},
        tool_tags=("seedream",),
        purpose_tags=("avatar", "photoreal"),
        popularity=90,
        needs=("image_assets",),
    ),
    OfferedTemplate(
        title="Product on marble",
        description="A product on white marble in morning light.",
        tool_name="image_editor",
        inputs={"prompt": "The product of image 1 on white marble, morning light.", "model": "QWEN_IMAGE"},
        tool_tags=("qwen",),
        purpose_tags=("product", "photoreal"),
        popularity=75,
        needs=("image_assets",),
    ),
    OfferedTemplate(
        title="Anime street",
        description="A rainy street, drawn.",
        tool_name="by_prompt",
        inputs={"positive_prompt": "Anime street in the rain, lanterns.", "model": "WAN_2_7_IMAGE", "ratio": "16:9"},
        tool_tags=("wan",),
        purpose_tags=("anime",),
        popularity=60,
    ),
    OfferedTemplate(
        title="Living portrait",
        description="A portrait that turns its head and smiles.",
        tool_name="videogen",
        inputs={"prompt": "The person turns and smiles.", "model": "kling@2.6", "duration": 5, "resolution": "720p"},
        tool_tags=("kling",),
        purpose_tags=("avatar", "video"),
        popularity=80,
        needs=("ref_asset",),
    ),
)


def list_templates(context: RequestContext, args: Arguments) -> Answer:
    wanted = set(args.get("tags", []))
    found = [
        template
        for template in TEMPLATES
        if args.get("tool_name") in (None, template.tool_name)
        and (not wanted or wanted & {*template.tool_tags, *template.purpose_tags})
        and not args.get("is_nsfw")
    ]
    if args["sort_by"] == "popularity":
        found.sort(key=lambda template: -template.popularity)
    return _page(found, args)


def search_templates(context: RequestContext, args: Arguments) -> Answer:
    words = args["query"].lower().split()

    def hits(template: OfferedTemplate) -> int:
        text = " ".join((template.title, template.description, *template.tool_tags, *template.purpose_tags)).lower()
        return sum(word in text for word in words)

    return _page(sorted((found for found in TEMPLATES if hits(found)), key=hits, reverse=True), args)


def get_template(context: RequestContext, args: Arguments) -> Answer:
    template = _named(args["template_id"])
    return Answer(data={**_summary(template), "input": template.inputs, "output": None}, title=template.title)


def get_template_card(context: RequestContext, args: Arguments) -> Answer:
    template = _named(args["template_id"])
    data = {**_summary(template), "input": template.inputs, "required_assets": list(template.needs)}
    return Answer(data=data, title=template.title, remark=template.description)


def use_template(context: RequestContext, args: Arguments) -> Answer:
    """What to submit; it submits nothing and charges nothing (chosen by us)."""
    template = _named(args["template_id"])
    inputs = {**template.inputs, **args.get("overrides", {})}
    missing = [name for name in template.needs if name not in inputs]
    data = {
        "template_id": template.template_id,
        "tool_name": template.tool_name,
        "inputs": [inputs],
        "missing": missing,
    }
    return Answer(data=data, title=template.title, remark="Submit with zencreator_create_task.")


def _named(template_id: str) -> OfferedTemplate:
    found = next((template for template in TEMPLATES if template.template_id == template_id), None)
    if found is None:
        raise Refusal(404, f"template {template_id} is not recognised.")
    return found


def _page(found: list[OfferedTemplate], args: Arguments) -> Answer:
    offset, limit = args["offset"], args["limit"]
    items = [_summary(template) for template in found[offset : offset + limit]]
    return Answer(data=page(len(found), offset, limit, items), title=f"{len(found)} templates")


def _summary(template: OfferedTemplate) -> dict[str, Any]:
    return {
        "id": template.template_id,
        "title": template.title,
        "description": template.description,
        "tool_name": template.tool_name,
        "tool_tags": list(template.tool_tags),
        "purpose_tags": list(template.purpose_tags),
        "popularity": template.popularity,
        "is_nsfw": False,
    }
