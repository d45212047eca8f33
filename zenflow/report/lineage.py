"""Which call made which asset, and what it was made from, back to the input. Reads the run's events only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zenflow.history.state import RunState, SubmissionState

DEEPEST = 64  # calls that a picture may have come through
PROMPT_KEYS = ("prompt", "positive_prompt", "text", "script", "tts_prompt")


class Lineage:
    """The makers of all assets of a run, found once."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._maker: dict[str, str] = {}
        for address, instance in state.instances.items():
            if instance.submissions or address_made_by_upload(instance.results):
                for asset_id in asset_ids(instance.results):
                    self._maker.setdefault(asset_id, address)

    def maker(self, asset_id: str) -> str | None:
        """Return the address of the instance that made the asset; None for an asset from elsewhere."""
        return self._maker.get(asset_id)

    def request(self, address: str) -> tuple[SubmissionState | None, dict[str, Any]]:
        """Return the submission whose call gave the result, and its parameters; of several tries the last."""
        instance = self._state.instances.get(address)
        for number, position in reversed(instance.submissions if instance else []):
            submission = self._state.submissions.get(number)
            if submission is not None and position < len(submission.calls):
                return submission, dict(submission.calls[position].call.params)
        return None, {}

    def line(self, address: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the call itself, then the call that made what it read, and so on back: address and parameters."""
        seen: set[str] = set()
        while address not in seen and len(seen) < DEEPEST:
            seen.add(address)
            _, params = self.request(address)
            yield address, params
            address = next((self._maker[text] for text in texts_in(params) if text in self._maker), address)


def first_value(line: list[tuple[str, dict[str, Any]]], keys: tuple[str, ...]) -> Any:
    """Return the first value under one of `keys`, nearest call first; None when no call has one."""
    return next((params[key] for _, params in line for key in keys if key in params), None)


def asset_ids(results: Mapping[str, Any] | None) -> list[str]:
    """Return the assets among an instance's results, in order."""
    found = (results or {}).get("asset_ids")
    if isinstance(found, list):
        return [one for one in found if isinstance(one, str)]
    one = (results or {}).get("asset_id")
    return [one] if isinstance(one, str) else []


def address_made_by_upload(results: Mapping[str, Any] | None) -> bool:
    """Return whether the results are those of an upload: one asset that no call made."""
    return results is not None and "size_bytes" in results and isinstance(results.get("asset_id"), str)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)


def step_path(address: str) -> str:
    """Return the step of an instance: `outer/upscale` of `outer.2/upscale.3.1`."""
    return "/".join(part.split(".")[0] for part in address.split("/"))
