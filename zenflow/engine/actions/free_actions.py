"""The actions that cost nothing: upload, describe, craft_prompt, pick. (Files are in `files`.)

Free calls may be repeated; their results are journaled before a paid request that contains them (docs/money.md, “Resume”).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from zenflow.engine.context import Context
from zenflow.engine.expansion.readiness import Go, decide
from zenflow.engine.expansion.subrecipes import inputs_of
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.model.instances import Frame, Instance, StopReason
from zenflow.engine.model.report import Choice
from zenflow.errors import ZenflowError
from zenflow.history import events as e
from zenflow.ids import is_uuid
from zenflow.media.data_urls import is_data_url, is_web_url
from zenflow.plan.fingerprint import content_fingerprint, fingerprint_of
from zenflow.providers.base import ServiceError, UploadedAsset
from zenflow.recipe.digests import data_url_digest, file_digest
from zenflow.recipe.inputs.file_digests import OPTION as INPUT_FILES
from zenflow.recipe.inputs.media_leaves import media_in

REFERENCE_LIMIT = 800  # docs/service.md, “Generation”: a reference's description
HELPER_TRIES = 2  # docs/service.md, “Generation”: “retry once” for an upstream error of a helper
FILE_CHANGED = "ZF676"
FILE_CHANGED_HINT = "Put the file back, or take it as it is: `zenflow resume RUN --recipe FILE`."


class ActionFailed(ZenflowError):
    """A free action cannot be done as it is written; asking again would not help."""

    exit_status = 1


class FreeWork:
    """Does one free instance at a time, many of them in parallel."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._same_source: dict[str, asyncio.Future[UploadedAsset]] = {}
        self._digests: dict[Instance, str] = {}  # of files that were uploaded, or found to be there

    async def do(self, instance: Instance, params: Mapping[str, Any]) -> None:
        """Carry out an action and settle its instance, or leave it for a resume when the service is away."""
        context = self._context
        try:
            results = await self._results(instance, params)
        except ServiceError as error:
            if error.trouble in ("sign_in", "unreachable", "rate_limited", "out_of_credits"):
                context.stop_run(error.code, error.message, error.hint or "`zenflow resume RUN` goes on from here.")
                context.pause(instance, StopReason(error.code, error.message, error.hint or ""))
            else:
                context.fail(instance, error.code, error.message, error.hint or "")
        except ZenflowError as error:
            context.fail(instance, error.code, error.message, error.hint or "")
        else:
            if results is not None:
                context.produce(instance, results, fingerprint=self._fingerprint(instance, params))

    async def upload_again(self, instance: Instance) -> Mapping[str, Any] | None:
        """A new upload of what an instance uploaded once; None where its source is no longer there. Raises ServiceError."""
        decision = decide(instance)
        if not isinstance(decision, Go):
            return None
        try:
            params = decision.params
            return await self._upload(instance, params.get("source"), params.get("media_type"))
        except ActionFailed:
            return None

    def _fingerprint(self, instance: Instance, params: Mapping[str, Any]) -> str:
        """Of an upload that of its bytes; nothing for an asset that was only passed through."""
        uses = instance.step.spec.uses
        if uses != "upload":
            return fingerprint_of(uses, params, self._context.recorder.state.contents)
        digest = self._digests.pop(instance, None) or data_url_digest(params["source"])
        if digest is not None:
            return content_fingerprint(digest)
        return "" if self._is_asset(params["source"]) else fingerprint_of(uses, params, {})

    def _is_asset(self, source: str) -> bool:
        """A UUID, or what this run was given as an asset's id, whatever it looks like on this server."""
        if is_uuid(source):
            return True
        state = self._context.recorder.state
        made = (one.results.get("asset_ids") for one in state.instances.values() if one.results is not None)
        return source in state.contents or any(isinstance(ids, list) and source in ids for ids in made)

    async def _results(self, instance: Instance, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        uses = instance.step.spec.uses
        if uses == "upload":
            return await self._upload(instance, params["source"], params.get("media_type"))
        if uses == "describe":
            return await self._describe(params)
        if uses == "craft_prompt":
            return await self._craft_prompt(params)
        return self._pick(instance, params)

    # ------------------------------------------------------------------------------------------------------------ upload

    async def _upload(self, instance: Instance, source: Any, media_type: str | None) -> Mapping[str, Any]:
        if not isinstance(source, str):
            raise ActionFailed(
                "ZF520", f"`source` must be a text, and is {source!r}", "Give a path, a URL or an asset id."
            )
        provider, service = self._context.service.provider, self._context.service
        if self._is_asset(source):
            asset = await service.ask(Kind.FREE, lambda: provider.asset(source))
            return {"asset_id": asset.asset_id, "media_type": asset.media_type, "size_bytes": None}
        if is_web_url(source) or is_data_url(source):
            ask = partial(service.ask, Kind.FREE, lambda: provider.upload_url(source, media_type))
            return _uploaded(await self._upload_once(f"{media_type or ''} {source}", ask))
        path = self._allowed(instance, source)
        digest = self._digests[instance] = await asyncio.to_thread(file_digest, path)
        recorded = self._context.recorder.state.options.get(INPUT_FILES, {}).get(str(path))
        if recorded not in (None, digest):
            raise ActionFailed(FILE_CHANGED, f"{path} is another file than when the run began", FILE_CHANGED_HINT)
        if instance.step.spec.reuse is not False and media_type is None:
            known = await self._known(digest, path)
            if known is not None:
                return _uploaded(known)
        send = partial(self._send_file, path, digest, media_type)
        return _uploaded(await self._upload_once(f"{media_type or ''} {digest}", send))

    async def _upload_once(self, key: str, send: Callable[[], Awaitable[UploadedAsset]]) -> UploadedAsset:
        """Share one upload among instances with the same bytes or address: uploads are not idempotent
        (docs/service.md, “Assets”)."""
        running = self._same_source.get(key)
        if running is None:
            running = asyncio.ensure_future(send())
            self._same_source[key] = running
            running.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(running)

    def _forget(self, key: str, done: asyncio.Future[UploadedAsset]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._same_source.pop(key, None)

    async def _send_file(self, path: Path, digest: str, media_type: str | None) -> UploadedAsset:
        context = self._context
        provider = context.service.provider
        asset = await context.service.ask(Kind.FREE, lambda: provider.upload_file(path, media_type))
        journal = context.parts.journal
        journal.remember_asset(provider.server, context.account_id, digest, asset.asset_id, asset.media_type)
        return asset

    async def _known(self, digest: str, path: Path) -> UploadedAsset | None:
        """The asset of the same bytes uploaded before, if the service still has it."""
        context = self._context
        provider = context.service.provider
        found = context.parts.journal.find_asset(provider.server, context.account_id, digest)
        if found is None:
            return None
        asset_id, media_type = found
        try:
            await context.service.ask(Kind.FREE, lambda: provider.asset(asset_id))
        except ServiceError as error:
            if error.trouble in ("not_found", "forbidden"):
                return None
            raise
        same = await asyncio.to_thread(path.stat)
        return UploadedAsset(asset_id, media_type, same.st_size)

    def _allowed(self, instance: Instance, source: str) -> Path:
        """A local file that the user named, or one of the recipe's own workspace or repository (rule 8); nothing from
        elsewhere, also not through a link."""
        path = Path(source)
        path = (path if path.is_absolute() else instance.step.frame.recipe.path.parent / path).resolve()
        started = self._context.recorder.state.started
        named = started.named_paths if started is not None else ()
        if str(path) not in named and not _may_read(instance.step.frame, source, path):
            raise ActionFailed(
                "ZF521",
                f"{source} was not named by you and lies outside the recipe's workspace or repository",
                "Give it as an input: `-i NAME=PATH`.",
            )
        if not path.is_file():
            raise ActionFailed("ZF522", f"there is no file {path}", "Check the path, or give the input anew.")
        return path

    # ----------------------------------------------------------------------------------------------------------- helpers

    async def _describe(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        provider = self._context.service.provider
        refresh = bool(params.get("force_refresh", False))
        found = await self._helper(lambda: provider.describe(params["asset_id"], refresh))
        return {"asset_id": found.asset_id, "description": found.description, "media_type": found.media_type}

    async def _craft_prompt(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        provider = self._context.service.provider
        arguments = {**params, "references": [_short(one) for one in params.get("references", ())]}
        if not arguments["references"]:
            del arguments["references"]
        found = await self._helper(lambda: provider.craft_prompt(arguments))
        if not found.prompts:
            raise ActionFailed("ZF721", "the service wrote no prompt", "Try again with `zenflow resume RUN`.")
        prompts = [dict(prompt) for prompt in found.prompts]
        return {"prompts": prompts, "prompt": prompts[0].get("prompt")}

    async def _helper(self, question: Any) -> Any:
        """The two helpers call an external LLM; its hiccups are worth one more try (docs/service.md, “Generation”)."""
        for _ in range(HELPER_TRIES - 1):
            try:
                return await self._context.service.ask(Kind.FREE, question)
            except ServiceError as error:
                if error.trouble in ("sign_in", "absent", "forbidden", "not_found", "invalid", "out_of_credits"):
                    raise
        return await self._context.service.ask(Kind.FREE, question)

    # -------------------------------------------------------------------------------------------------------------- pick

    def _pick(self, instance: Instance, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """A person's choice, given beforehand (`--pick`) or by a resume; until then the instance rests."""
        context = self._context
        offered = [one for one in params["asset_ids"] if isinstance(one, str)]
        if not offered:
            return {"asset_ids": [], "asset_id": None}  # nobody could ever choose
        most = int(params.get("count", 1))
        picks = context.recorder.state.options.get("picks", {})
        chosen = picks.get(instance.address, picks.get(instance.step.path))
        question = params.get("question") or f"Which {most if most > 1 else 'one'} of {len(offered)}?"
        instance.choice = Choice(str(question), tuple(offered), most)
        if chosen is None:
            hint = f"`zenflow resume RUN --pick {instance.address}=1` takes the first."
            context.pause(instance, StopReason("ZF650", f"waits for a choice: {question}", hint))
            return None
        wrong = [number for number in chosen if not 1 <= number <= len(offered)]
        if wrong or len(chosen) > most:
            named = ", ".join(map(str, chosen))
            text = (
                f"`--pick {instance.address}={named}`: there are {len(offered)} to choose from, and {most} may be taken"
            )
            context.pause(instance, StopReason("ZF651", text, "Choose again with `zenflow resume RUN --pick …`."))
            return None
        asset_ids = [offered[number - 1] for number in chosen]
        context.recorder.record(e.Picked(context.recorder.now(), instance.address, tuple(asset_ids)))
        return {"asset_ids": asset_ids, "asset_id": asset_ids[0] if asset_ids else None}


def _may_read(frame: Frame, source: str, path: Path) -> bool:
    """Whether a file is the recipe's own, or was given to it as an input by a recipe that may read it."""
    if path.is_relative_to(frame.recipe.boundary.resolve()):
        return True
    if frame.outer is None:
        return False
    defaults = inputs_of(frame.recipe, {})
    is_given = any(
        source in media_in(frame.inputs.get(name), spec.schema) and frame.inputs.get(name) != defaults.get(name)
        for name, spec in frame.recipe.inputs.items()
    )
    return is_given and _may_read(frame.outer.step.frame, source, path)


def _uploaded(asset: UploadedAsset) -> Mapping[str, Any]:
    return {"asset_id": asset.asset_id, "media_type": asset.media_type, "size_bytes": asset.size_bytes}


def _short(reference: Any) -> Any:
    """A description is written at 80 to 200 words and taken up to 800 characters: cut at a sentence
    (docs/service.md, “Generation”)."""
    text = reference.get("description") if isinstance(reference, Mapping) else None
    if not isinstance(text, str) or len(text) <= REFERENCE_LIMIT:
        return reference
    cut = text[:REFERENCE_LIMIT]
    end = max(cut.rfind(". "), cut.rfind("! "), cut.rfind("? "))
    return {**reference, "description": cut[: end + 1] if end > REFERENCE_LIMIT // 2 else cut}
