"""Tools of the packaged snapshot, and small ones made for a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.parser import tool_from_document
from zenflow.catalog.snapshot import read_snapshot

MakeTool = Callable[..., Tool]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return read_snapshot()


@pytest.fixture
def make_tool() -> MakeTool:
    def make(schema: Mapping[str, Any], **more: Any) -> Tool:
        return tool_from_document({"name": "odd", "input_schema": schema, "output_schema": {}, **more})

    return make
