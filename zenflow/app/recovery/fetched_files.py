"""Files of assets in a folder that is not a run's own, or beside its own: fetched, and remembered there in `fetched.json`.

Knows nothing of runs: an asset, its name, where it lies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zenflow.app.connection.retry import with_retries
from zenflow.artifacts.base import ArtifactError, ArtifactStore, ExpectedFile, Insisted, SavedFile
from zenflow.artifacts.manifest import write_json
from zenflow.clock import Clock
from zenflow.providers.base import Provider, ServiceError

INDEX = "fetched.json"
URLS_AT_ONCE = 50  # docs/service.md, “Assets”
TRIES = 4


class FetchedFileIndex:
    """What lies in such a folder, in a document there (`index`)."""

    def __init__(self, folder: Path, index: str = INDEX) -> None:
        self._folder, self._index = folder, index
        self._by_asset: dict[str, SavedFile] = {}
        try:
            rows = json.loads((folder / index).read_text(encoding="utf-8"))["files"]
            self._by_asset = {row["asset_id"]: SavedFile(**row) for row in rows}
        except (OSError, ValueError, KeyError, TypeError):
            return  # none, or one that is no longer ours: files of the same bytes are found by the store

    def find(self, asset_id: str) -> SavedFile | None:
        return self._by_asset.get(asset_id)

    def put(self, saved: SavedFile) -> None:
        self._by_asset[saved.asset_id] = saved

    def leave(self, run_id: str, **more: Any) -> None:
        """Write it with what else is to be said there, whole or not at all."""
        document = {"format": 1, "run_id": run_id, **more, "files": [asdict(one) for one in self._by_asset.values()]}
        write_json(self._folder, self._index, document)


async def save_assets(
    asset_ids: Sequence[str],
    names: Mapping[str, str],
    provider: Provider,
    clock: Clock,
    store: ArtifactStore,
    failures: list[str],
) -> list[SavedFile]:
    """Fetch assets under their names: addresses 50 at a time, just before they are used; what broke on the way is asked for
    again, and what is not there in the end is told in `failures`."""
    saved: list[SavedFile] = []
    insisted = {asset_id: Insisted() for asset_id in asset_ids}
    left, why = list(asset_ids), dict.fromkeys(asset_ids, "the service gives no address for it")
    for attempt in range(TRIES):
        if not left:
            break
        await clock.sleep(0.25 * 2**attempt if attempt else 0.0)
        for start in range(0, len(left), URLS_AT_ONCE):
            part = left[start : start + URLS_AT_ONCE]
            for address in await with_retries(lambda ids=part: provider.download_urls(ids), clock):  # type: ignore[misc]
                if address.url is None:
                    why[address.asset_id] = address.error or why[address.asset_id]
                    continue
                try:
                    async with provider.download(address.url) as body:
                        as_it_is = insisted[address.asset_id].as_it_is
                        media_type = address.media_type or body.media_type
                        expected = ExpectedFile(media_type, body.total_bytes, as_it_is=as_it_is)
                        name = names[address.asset_id]
                        saved.append(await store.save(name, address.asset_id, body.chunks, expected))
                except (ArtifactError, ServiceError) as error:
                    if isinstance(error, ArtifactError):
                        insisted[address.asset_id].take(error)
                    why[address.asset_id] = error.message
        there = {file.asset_id for file in saved}
        left = [asset_id for asset_id in left if asset_id not in there]
    failures += [f"asset {asset_id}: {why[asset_id]}" for asset_id in left]
    return saved
