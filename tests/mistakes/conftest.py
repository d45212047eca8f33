"""`--update` writes the golden texts anew; read the difference before it is committed."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", default=False, help="write the golden texts of the mistakes anew")
