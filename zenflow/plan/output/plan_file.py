"""A plan kept as a file: everything that it stands on, so that it can be carried out later exactly as it was, or not at all.

Pure: what it stands on is given, and compared here. It holds no text that could be a secret: `data:` URLs and addresses
with a query or a password are kept as digests and must be given again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.clock import as_iso
from zenflow.credits import as_number, credits_from, in_words, price_from
from zenflow.ids import digest_of
from zenflow.media.data_urls import is_web_url
from zenflow.plan.model import Plan
from zenflow.plan.output.document import plan_document

FORMAT = 1
KIND = "zenflow plan"


@dataclass(frozen=True, slots=True)
class FileFact:
    """A file that a run of the plan would upload, as it was. `path` is absolute here, relative to the plan on disk."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SavedPrice:
    """One answer of the service. `key` is the question's; tool and model are for people."""

    key: str
    tool: str
    model: str | None
    credits: Decimal | None
    asked_at: str
    placeholder: bool
    refusal: str | None = None

    @property
    def label(self) -> str:
        return self.tool if self.model is None else f"{self.tool} · {self.model}"


@dataclass(frozen=True, slots=True)
class SavedKept:
    """A reuse decision: this instance takes the result of that one, for which so much was paid."""

    address: str
    fingerprint: str
    run_id: str
    instance: str
    credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What the file holds. `plan` is the document that `zenflow plan --json` shows."""

    made_at: str
    zenflow_version: str
    recipe_path: str
    recipe_files: Mapping[str, str]  # name → SHA-256 of its text: the recipe, and every recipe that it uses
    inputs: Mapping[str, Any]
    files: tuple[FileFact, ...]
    server: str
    account_id: str
    tools: Mapping[str, str]  # name → digest of schemas and models
    prices: tuple[SavedPrice, ...]
    budget: Decimal
    maxima: Mapping[str, int]
    reuse: Mapping[str, Any] = field(default_factory=dict)  # what was asked for: source, redo, from
    kept: tuple[SavedKept, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    repositories: Mapping[str, Any] = field(default_factory=dict)  # that the recipe uses, by the prefix of their keys
    digest: str = ""  # of the file's content; empty for a plan that is in no file
    made_by: str = ""  # the operator's mark on that digest


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that is not as the plan has it. `kind`: plan (its own file), recipe, input, file, tool, price, server,
    account, reuse, total."""

    kind: str
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before} → {self.after}"


def saved_of(
    plan: Plan, *, made_at: str, version: str, files: tuple[FileFact, ...], inputs: Mapping[str, Any]
) -> SavedPlan:
    """The plan as it will be kept. `inputs` are those of `kept_inputs`."""
    reuse = plan.reuse
    kept = () if reuse is None else reuse.kept
    return SavedPlan(
        made_at=made_at,
        zenflow_version=version,
        recipe_path=str(plan.recipe.path.resolve()) if plan.recipe.origin is None else plan.recipe.origin.word,
        recipe_files={name: text_digest(text) for name, text in sorted(plan.recipe.files.items())},
        inputs=inputs,
        files=files,
        server=str(kept_value(plan.server)),
        account_id="" if plan.account is None else plan.account.account_id,
        tools={name: tool.digest for name, tool in sorted(plan.catalog.tools.items())},
        prices=tuple(_prices(plan.prices.price_requests, plan.prices.quotes)),
        budget=plan.budget,
        maxima=dict(plan.max_overrides),
        reuse={} if reuse is None else reuse.options,
        kept=tuple(SavedKept(k.address, k.fingerprint, k.run_id, k.instance, k.credits) for k in kept),
        plan={**plan_document(plan), "server": kept_value(plan.server)},
        repositories={prefix: asdict(origin) for prefix, origin in plan.recipe.origins.items()},
    )


def text_digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _prices(price_requests: Mapping[str, PriceRequest], quotes: Mapping[str, Quote]) -> Iterator[SavedPrice]:
    for key, quote in quotes.items():
        price_request = price_requests.get(key)
        model = price_request.params.get("model") if price_request is not None else None
        yield SavedPrice(
            key,
            price_request.tool if price_request is not None else "?",
            model if isinstance(model, str) else None,
            quote.credits,
            as_iso(quote.asked_at),
            quote.placeholder,
            quote.refusal,
        )


# --- inputs ---------------------------------------------------------------------------------------------------------


def kept_value(value: Any) -> Any:
    """A value as the file holds it: what may be a secret, or is large, as a digest. `data:` URLs are digests already."""
    if isinstance(value, str) and is_web_url(value):
        head, query, _ = value.partition("?")
        authority = head.split("/", 3)[2] if head.count("/") >= 2 else ""
        if query or "@" in authority or "#" in value:
            plain = head.partition("#")[0].replace(authority, authority.rpartition("@")[2], 1)
            return f"{plain}?sha256={text_digest(value)}"
        return value
    if isinstance(value, list):
        return [kept_value(item) for item in value]
    if isinstance(value, dict):
        return {name: kept_value(item) for name, item in value.items()}
    return value


def is_hidden(value: Any) -> bool:
    """Whether a part of a kept value is a digest only, so that it must be given again."""
    if isinstance(value, str):
        return (value.startswith("data:") and ";sha256=" in value) or (value.startswith("http") and "?sha256=" in value)
    if isinstance(value, list):
        return any(map(is_hidden, value))
    return isinstance(value, dict) and any(map(is_hidden, value.values()))


# --- the file -------------------------------------------------------------------------------------------------------


def saved_document(saved: SavedPlan) -> dict[str, Any]:
    """As JSON."""
    return {
        "format": FORMAT,
        "kind": KIND,
        "made_at": saved.made_at,
        "zenflow": saved.zenflow_version,
        "recipe": {
            "path": saved.recipe_path,
            "files": dict(saved.recipe_files),
            **({"repositories": dict(saved.repositories)} if saved.repositories else {}),
        },
        "inputs": dict(saved.inputs),
        "input_files": [{"path": f.path, "bytes": f.bytes, "sha256": f.sha256} for f in saved.files],
        "server": saved.server,
        "account_id": saved.account_id,
        "tools": dict(saved.tools),
        "budget": as_number(saved.budget),
        "max": dict(saved.maxima),
        "prices": [_price_document(price) for price in saved.prices],
        "reuse": {
            "asked": dict(saved.reuse),
            "kept": [
                {
                    "instance": k.address,
                    "fingerprint": k.fingerprint,
                    "from_run": k.run_id,
                    "from_instance": k.instance,
                    "credits": as_number(k.credits),
                }
                for k in saved.kept
            ],
        },
        "plan": dict(saved.plan),
    }


def _price_document(price: SavedPrice) -> dict[str, Any]:
    return {
        "tool": price.tool,
        "model": price.model,
        "credits": as_number(price.credits),
        "asked_at": price.asked_at,
        "stand_in": price.placeholder,
        "refusal": price.refusal,
        "question": price.key,
    }


def sealed(document: Mapping[str, Any], mark: Callable[[str], str | None] = lambda text: None) -> dict[str, Any]:
    """The document with its own digest, and the operator's mark on that: a plan that you agreed to is carried out as it was
    made, or not at all. The digest alone shows only that nothing was changed by accident: anybody can compute it."""
    digest = content_digest(document)
    return {**document, "digest": digest, "made_by": mark(plan_text(digest))}


def plan_text(digest: str) -> str:
    """What the operator's mark on a plan covers."""
    return f"plan {digest}"


def content_digest(document: Mapping[str, Any]) -> str:
    """Of everything in it but the digest and the mark; how it is laid out does not matter."""
    return digest_of({name: value for name, value in document.items() if name not in ("digest", "made_by")})


def is_saved_plan(document: Any) -> bool:
    """Whether a JSON document says that it is one."""
    return isinstance(document, dict) and document.get("kind") == KIND


def read_document(document: Mapping[str, Any]) -> SavedPlan:
    """The plan of a document. Raises KeyError, TypeError or ValueError for one that is not as the schema has it."""
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}; this zenflow reads {FORMAT}")
    asked, kept = document["reuse"]["asked"], document["reuse"]["kept"]
    return SavedPlan(
        made_at=str(document["made_at"]),
        zenflow_version=str(document["zenflow"]),
        recipe_path=str(document["recipe"]["path"]),
        recipe_files={str(name): str(digest) for name, digest in document["recipe"]["files"].items()},
        inputs=dict(document["inputs"]),
        files=tuple(FileFact(str(f["path"]), int(f["bytes"]), str(f["sha256"])) for f in document["input_files"]),
        server=str(document["server"]),
        account_id=str(document["account_id"]),
        tools={str(name): str(digest) for name, digest in document["tools"].items()},
        prices=tuple(_read_price(price) for price in document["prices"]),
        budget=_amount(document["budget"]),
        maxima={str(name): int(most) for name, most in document["max"].items()},
        reuse=dict(asked),
        kept=tuple(
            SavedKept(
                str(k["instance"]),
                str(k["fingerprint"]),
                str(k["from_run"]),
                str(k["from_instance"]),
                _amount(k["credits"]),
            )
            for k in kept
        ),
        plan=dict(document["plan"]),
        repositories=dict(document["recipe"].get("repositories", {})),
        digest=str(document.get("digest", "")),
        made_by=str(document.get("made_by") or ""),
    )


def _read_price(price: Mapping[str, Any]) -> SavedPrice:
    return SavedPrice(
        str(price["question"]),
        str(price["tool"]),
        price["model"],
        price_from(price["credits"]),
        str(price["asked_at"]),
        bool(price["stand_in"]),
        price["refusal"],
    )


def _amount(value: Any) -> Decimal:
    amount = credits_from(value)
    if amount is None:
        raise ValueError(f"{value!r} is no number of credits")
    return amount


# --- what moved -----------------------------------------------------------------------------------------------------


def moved_recipe(saved: SavedPlan, texts: Mapping[str, str]) -> Iterator[Moved]:
    """`texts`: the recipe as it is now, and those that it uses."""
    now = {name: text_digest(text) for name, text in texts.items()}
    for name in sorted(saved.recipe_files.keys() | now.keys()):
        before, after = saved.recipe_files.get(name), now.get(name)
        if before != after:
            yield Moved("recipe", f"recipe file {name}", _short(before), _short(after))


def moved_files(saved: SavedPlan, now: Mapping[str, FileFact | None]) -> Iterator[Moved]:
    """`now`: the same paths; None where the file is gone."""
    for file in saved.files:
        found = now.get(file.path)
        if found is None:
            yield Moved("file", f"input file {file.path}", _short(file.sha256), "gone")
        elif found.sha256 != file.sha256:
            yield Moved("file", f"input file {file.path}", _short(file.sha256), _short(found.sha256))


def moved_world(saved: SavedPlan, now: SavedPlan) -> Iterator[Moved]:
    """`now`: the same plan, made again from what is there now."""
    if saved.server != now.server:
        yield Moved("server", "server", saved.server, now.server)
    if saved.account_id != now.account_id:
        yield Moved("account", "account", saved.account_id or "none", now.account_id or "none")
    for name in sorted(saved.inputs.keys() | now.inputs.keys()):
        if saved.inputs.get(name) != now.inputs.get(name):
            yield Moved("input", f"input `{name}`", _brief(saved.inputs.get(name)), _brief(now.inputs.get(name)))
    for name in sorted(saved.tools.keys() | now.tools.keys()):
        before, after = saved.tools.get(name), now.tools.get(name)
        if before != after:
            yield Moved("tool", f"the schema or models of tool {name}", _short(before), _short(after))
    yield from _moved_prices(saved, now)
    yield from _moved_reuse(saved, now)
    yield from _moved_totals(saved, now)


def _moved_prices(saved: SavedPlan, now: SavedPlan) -> Iterator[Moved]:
    """Questions are equal where tools and parameters are: with the same recipe and inputs they are the same ones."""
    current = {price.key: price for price in now.prices}
    for before in saved.prices:
        after = current.pop(before.key, None)
        if after is not None and after.credits != before.credits:
            what = f"price of {before.label}"
            yield Moved("price", what, f"{in_words(before.credits)}", f"{in_words(after.credits)}")


def _moved_reuse(saved: SavedPlan, now: SavedPlan) -> Iterator[Moved]:
    before = {k.address: k for k in saved.kept}
    after = {k.address: k for k in now.kept}
    for address in [*before, *(a for a in after if a not in before)]:
        if before.get(address) != after.get(address):
            what = f"what {address} reuses"
            yield Moved("reuse", what, _source(before.get(address)), _source(after.get(address)))


def _moved_totals(saved: SavedPlan, now: SavedPlan) -> Iterator[Moved]:
    """What the same things would cost now. Where all else stands still, another zenflow may count otherwise."""
    before, after = saved.plan.get("credits"), now.plan.get("credits")
    if before != after:
        yield Moved("total", "the total", _amounts(before), _amounts(after))


def _amounts(credits: Any) -> str:
    known = credits if isinstance(credits, Mapping) else {}
    low, expected, worst = (known.get(word, "?") for word in ("low", "expected", "worst"))
    return f"{low} / {expected} / {worst} credits"


def _source(kept: SavedKept | None) -> str:
    return "nothing: it is made new" if kept is None else f"{kept.instance} of run {kept.run_id}"


def _short(digest: str | None) -> str:
    return "not there" if digest is None else digest[:12]


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
