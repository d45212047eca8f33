"""Fetch assets by their ids: originals or previews, each under its own media type; one failure does not fail the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.artifacts.base import ArtifactError, ArtifactStore, ExpectedFile, Insisted, SavedFile
from zenflow.clock import Clock
from zenflow.engine.files.resumable_download import open_body
from zenflow.errors import UsageError
from zenflow.ids import is_uuid
from zenflow.providers.base import AssetUrl, Provider, ServiceError

URLS_AT_ONCE = 50  # docs/service.md, “Assets”
AT_ONCE = 8
TRIES = 4
FOLDERS = {False: "assets", True: "previews"}  # a preview never lies among the originals


@dataclass(frozen=True, slots=True)
class Fetched:
    """One asset that was asked for: its file, or why there is none."""

    asset_id: str
    file: SavedFile | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class FetchedAssets:
    server: str
    folder: Path
    preview: bool
    assets: tuple[Fetched, ...]

    @property
    def failed(self) -> int:
        return sum(1 for one in self.assets if one.file is None)


async def fetch(
    asset_ids: Sequence[str],
    preview: bool,
    folder: Path | None,
    settings: Settings,
    names: Mapping[str, str] | None = None,
) -> FetchedAssets:
    """Save every asset, by default below the output folder and named by its id. Raises UsageError for what is no id."""
    wrong = [one for one in asset_ids if not is_uuid(one)]
    if wrong:
        raise UsageError("ZF057", f"`{wrong[0]}` is no asset id.", "`zenflow show RUN --json` lists those of a run.")
    place = settings.output_dir / FOLDERS[preview] if folder is None else folder
    clock = wiring.clock()
    store = wiring.open_store(place)
    gate = asyncio.Semaphore(AT_ONCE)
    async with wiring.open_provider(settings, clock) as provider:

        async def one(address: AssetUrl) -> Fetched:
            async with gate:
                name = (names or {}).get(address.asset_id, address.asset_id)
                return await _save(address, name, preview, provider, store, clock)

        wanted = tuple(dict.fromkeys(asset_ids))
        found: list[Fetched] = []
        for start in range(0, len(wanted), URLS_AT_ONCE):  # addresses live for minutes: asked for just before use
            addresses = await _addresses(wanted[start : start + URLS_AT_ONCE], preview, provider, clock)
            found += await asyncio.gather(*(one(address) for address in addresses))
    return FetchedAssets(settings.server, place, preview, tuple(found))


async def _addresses(asset_ids: Sequence[str], preview: bool, provider: Provider, clock: Clock) -> Sequence[AssetUrl]:
    ask = provider.preview_urls if preview else provider.download_urls
    return await with_retries(lambda: ask(asset_ids), clock)


async def _save(
    address: AssetUrl, name: str, preview: bool, provider: Provider, store: ArtifactStore, clock: Clock
) -> Fetched:
    """Stream and verify; what broke or expired on the way is asked for again with a fresh address."""
    said = address.error

    async def fresh() -> str | None:
        return (await _addresses([address.asset_id], preview, provider, clock))[0].url

    insisted = Insisted()
    for attempt in range(TRIES):
        if attempt:
            await clock.sleep(0.25 * 2**attempt)
            address = (await _addresses([address.asset_id], preview, provider, clock))[0]
        if address.url is None:
            return Fetched(address.asset_id, None, address.error or said or "the service gives no address for it")
        try:
            async with open_body(provider, address.url, fresh, clock) as body:
                media_type = address.media_type or body.media_type
                expected = ExpectedFile(media_type, body.total_bytes, as_it_is=insisted.as_it_is)
                saved = await store.save(name, address.asset_id, body.chunks, expected)
                return Fetched(address.asset_id, saved)
        except ArtifactError as error:
            insisted.take(error)
            said = error.message
            if not error.retry:
                break
        except ServiceError as error:
            said = error.message
    return Fetched(address.asset_id, None, said)
