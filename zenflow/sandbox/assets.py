"""The account's assets: what was uploaded, and what calls will have made once they end.

An output's row is written with its task and becomes visible when the call ends. It holds a recipe, not a picture: the
picture is drawn when somebody first fetches it. `fingerprint` stands for the content and never for an id, so that the
same request gives the same bytes in any run.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from zenflow.sandbox.identity import made_id
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRecipe:
    """How to draw an output: the tool, its inputs, which of several results, and the assets that it refers to."""

    tool: str
    inputs: dict[str, Any]
    model: str | None
    index: int
    references: tuple[str, ...]  # asset ids, in the order of the inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    asset_id: str
    media_type: str
    width: int | None
    height: int | None
    available_at_s: float
    fingerprint: str
    recipe: AssetRecipe | None = None  # None: uploaded, the bytes are stored under the fingerprint
    size_bytes: int | None = None

    @property
    def kind(self) -> str:
        return self.media_type.partition("/")[0]


class Assets:
    """Reads and writes asset rows."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def find(self, asset_id: str, now_s: float) -> Asset | None:
        found = self.known(asset_id)
        return found if found is not None and found.available_at_s <= now_s else None

    def known(self, asset_id: str) -> Asset | None:
        """The asset, even if the call that makes it has not ended."""
        row = self._store.row("SELECT * FROM assets WHERE id = ?", asset_id)
        if row is None:
            return None
        recipe = None
        if row["recipe"] is not None:
            fields = json.loads(row["recipe"])
            recipe = AssetRecipe(**{**fields, "references": tuple(fields["references"])})
        return Asset(
            asset_id=row["id"],
            media_type=row["media_type"],
            width=row["width"],
            height=row["height"],
            available_at_s=row["available_at"],
            fingerprint=row["fingerprint"],
            recipe=recipe,
            size_bytes=row["size_bytes"],
        )

    def get(self, asset_id: str, now_s: float) -> Asset:
        found = self.find(asset_id, now_s)
        if found is None:
            raise Refusal(404, f"asset {asset_id} is not recognised, or not yours.")
        return found

    def media_type_of(self, asset_id: str, now_s: float) -> str | None:
        row = self._store.row("SELECT media_type FROM assets WHERE id = ? AND available_at <= ?", asset_id, now_s)
        return None if row is None else str(row["media_type"])

    def upload(self, body: bytes, media_type: str, size: tuple[int, int] | None, now_s: float) -> Asset:
        """A new asset on every call, as the service does (tools/assets: not idempotent)."""
        digest = hashlib.sha256(body).hexdigest()
        self._store.keep_bytes(digest, body)
        with self._store.change():
            asset = Asset(
                asset_id=made_id(self._account, "asset", self._store.next_number()),
                media_type=media_type,
                width=size[0] if size else None,
                height=size[1] if size else None,
                available_at_s=now_s,
                fingerprint=digest,
                size_bytes=len(body),
            )
            self.add([asset])
        return asset

    def add(self, assets: list[Asset]) -> None:
        self._store.run_many("INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [_as_row(asset) for asset in assets])

    def uploaded_bytes(self, asset: Asset) -> bytes:
        body = self._store.bytes_of(asset.fingerprint)
        if body is None:
            raise Refusal(404, f"the bytes of asset {asset.asset_id} are gone.")
        return body

    def ancestors(self, asset: Asset) -> list[Asset]:
        """The asset and everything it is drawn from, oldest first."""
        ordered: dict[str, Asset] = {}
        waiting = [asset]
        while waiting:
            current = waiting.pop()
            ordered.pop(current.asset_id, None)
            ordered[current.asset_id] = current
            for reference in current.recipe.references if current.recipe else ():
                found = self.known(reference)
                if found is not None:
                    waiting.append(found)
        return list(reversed(ordered.values()))


def _as_row(asset: Asset) -> tuple[object, ...]:
    recipe = None
    if asset.recipe is not None:
        recipe = json.dumps(
            {
                "tool": asset.recipe.tool,
                "inputs": asset.recipe.inputs,
                "model": asset.recipe.model,
                "index": asset.recipe.index,
                "references": asset.recipe.references,
            }
        )
    return (
        asset.asset_id,
        asset.media_type,
        asset.width,
        asset.height,
        asset.available_at_s,
        asset.fingerprint,
        recipe,
        asset.size_bytes,
    )


def fingerprint(
    seed: int, tool: str, inputs: dict[str, Any], model: str | None, index: int, known: dict[str, str]
) -> str:
    """What an output looks like, as a digest: asset ids in the inputs count by their content."""

    def by_content(value: Any) -> Any:
        if isinstance(value, str):
            return known.get(value, value)
        if isinstance(value, list):
            return [by_content(element) for element in value]
        return value

    content = {name: by_content(value) for name, value in inputs.items() if value is not None}
    text = json.dumps([seed, tool, model, index, content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
