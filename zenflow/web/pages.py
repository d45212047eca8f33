"""Templates and what they need: amounts, moments, foreign text made visible."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from zenflow.credits import as_text
from zenflow.errors import InvalidRecipe, ZenflowError
from zenflow.foreign_text import visible
from zenflow.report.html.page import page_filters

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Return a page. Every text is escaped, and control characters of foreign text are shown, not obeyed."""
    return str(_environment().get_template(template).render(**values))


@functools.lru_cache(maxsize=1)
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters.update(page_filters())
    environment.globals["as_text"] = as_text
    return environment


def error_facts(error: ZenflowError) -> dict[str, Any]:
    """Return what a page shows of an error: code, message, hint, and each problem of an invalid recipe."""
    problems = []
    if isinstance(error, InvalidRecipe):
        problems = [
            {
                "place": "" if one.place is None else f"{one.place.file}:{one.place.line}:{one.place.column}",
                "message": one.message,
                "code": one.code,
                "hint": one.hint or "",
                "severity": one.severity,
            }
            for one in error.problems[:50]
        ]
    return {
        "code": "" if problems else error.code,
        "message": "This recipe or its inputs have problems." if problems else error.message,
        "hint": "" if problems else (error.hint or ""),
        "problems": problems,
    }
