"""The pages of `zenflow ui`: runs, one run, pick, plan, ledger. All reading works without scripts."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import zenflow.report.html as report_html
from zenflow.app.config.settings import Settings
from zenflow.app.planning.prepare import RecipeRequest, read_recipe
from zenflow.app.queries import runs as run_queries
from zenflow.app.running.picks import FOLDER
from zenflow.app.running.redo import RedoRequest
from zenflow.app.running.resume import ResumeRequest
from zenflow.app.running.run import RunRequest
from zenflow.artifacts.thumbnails import thumbnail
from zenflow.credits import as_text
from zenflow.errors import InvalidRecipe, UsageError, ZenflowError
from zenflow.host.writing import make_private_folder, replace_file
from zenflow.recipe.load import recipe_names
from zenflow.recipe.model import Recipe
from zenflow.report.cost_history import KEYS, TIMES, costs_csv, grouped, totals
from zenflow.report.html.graph_svg import graph_svg
from zenflow.report.run_view import ChoiceView, RunView
from zenflow.web.forms import budget_of, fields_of, picked_places, words_of
from zenflow.web.guard import Guard, Secrets
from zenflow.web.jobs import Jobs
from zenflow.web.pages import error_facts, render
from zenflow.web.views import Views, inside

RUNS_A_PAGE, RESULTS_A_PAGE = 50, 60
LOOK_EVERY_S = 0.5
HERE = Path(__file__).parent
_SHOWN_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "video/", "audio/")

Page = Callable[[Request], Awaitable[Response]]


def build_app(settings: Settings, keys: Secrets, hosts: frozenset[str], current: Path) -> Starlette:
    """Return the web view of a workspace. `hosts`: the values of `Host` that are ours."""
    pages = _Pages(settings, keys, current)
    routes = [
        Route("/", pages.safe(pages.runs)),
        Route("/runs/{run_id}", pages.safe(pages.run)),
        Route("/runs/{run_id}/price", pages.safe(pages.price), methods=["POST"]),
        Route("/runs/{run_id}/resume", pages.safe(pages.resume), methods=["POST"]),
        Route("/runs/{run_id}/stop", pages.safe(pages.stop), methods=["POST"]),
        Route("/runs/{run_id}/fetch", pages.safe(pages.fetch), methods=["POST"]),
        Route("/runs/{run_id}/pick", pages.safe(pages.pick), methods=["GET"]),
        Route("/runs/{run_id}/pick", pages.safe(pages.pick_price), methods=["POST"]),
        Route("/runs/{run_id}/picked", pages.safe(pages.picked), methods=["POST"]),
        Route("/runs/{run_id}/redo", pages.safe(pages.redo), methods=["POST"]),
        Route("/runs/{run_id}/files/{number:int}", pages.safe(pages.file)),
        Route("/runs/{run_id}/thumbs/{number:int}", pages.safe(pages.thumb)),
        Route("/runs/{run_id}/previews/{address:path}/{number:int}", pages.safe(pages.preview)),
        Route("/plan", pages.safe(pages.recipes)),
        Route("/plan/{recipe:path}", pages.safe(pages.form), methods=["GET"]),
        Route("/plan/{recipe:path}", pages.safe(pages.planned), methods=["POST"]),
        Route("/start", pages.safe(pages.start), methods=["POST"]),
        Route("/ledger", pages.safe(pages.ledger)),
        Route("/ledger.csv", pages.safe(pages.ledger_csv)),
        Route("/events", pages.events),
        Route("/report.css", pages.style),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, keys=keys, hosts=hosts)])
    app.state.jobs = pages.jobs
    return app


class _Pages:
    def __init__(self, settings: Settings, keys: Secrets, current: Path) -> None:
        self._settings, self._keys, self._current = settings, keys, current
        self._views = Views(settings)
        self.jobs = Jobs(settings)
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="thumbnails")

    def safe(self, page: Page) -> Page:
        """Return the page with errors shown as pages, and with the form's token checked on every change."""

        @functools.wraps(page)
        async def guarded(request: Request) -> Response:
            try:
                if request.method == "POST":
                    form = await request.form()
                    if str(form.get("form_token", "")) != self._keys.form:
                        return PlainTextResponse(
                            "this form is from another start of `zenflow ui`: reload the page", 403
                        )
                return await page(request)
            except ZenflowError as error:
                return self._error(error)

        return guarded

    # ------------------------------------------------------------------------------------------------------- reading

    async def runs(self, request: Request) -> Response:
        """Show the runs: newest first, filtered, a page at a time."""
        rows = await self._views.rows()
        word, state = request.query_params.get("q", "").strip().lower(), request.query_params.get("state", "")
        if state:
            rows = [row for row in rows if run_queries.state_of(row) == state]
        if word:
            rows = [row for row in rows if word in f"{row.run_id} {row.recipe_name} {row.server}".lower()]
        page, pages = _page_of(request, len(rows), RUNS_A_PAGE)
        lines = await self._views.lines(rows[(page - 1) * RUNS_A_PAGE : page * RUNS_A_PAGE])
        return self._page(
            "runs.html.j2",
            title="Runs",
            lines=lines,
            total=len(rows),
            page=page,
            pages=pages,
            q=request.query_params.get("q", ""),
            state=state,
            states=("running", "done", "failed", "stopped", "interrupted"),
            query=_query(q=request.query_params.get("q", ""), state=state),
            live=True,
        )

    async def run(self, request: Request) -> Response:
        """Show one run: money, graph, timeline, problems, results."""
        row, view = await self._views.view(request.path_params["run_id"])
        from zenflow.report.html.page import lanes_of

        step = request.query_params.get("step", "")
        results = [one for one in view.results if not step or one.step == step]
        page, pages = _page_of(request, len(results), RESULTS_A_PAGE)
        numbers = {(file.name, file.asset_id): number for number, file in enumerate(view.files)}
        state = run_queries.state_of(row)
        return self._page(
            "run.html.j2",
            title=f"{view.recipe} {view.run_id}",
            view=view,
            money=view.money,
            state=state,
            row=row,
            graph=graph_svg(view.steps),
            lanes=lanes_of(view),
            results=results[(page - 1) * RESULTS_A_PAGE : page * RESULTS_A_PAGE],
            result_count=len(results),
            steps=list(dict.fromkeys(one.step for one in view.results)),
            step=step,
            page=page,
            pages=pages,
            query=_query(step=step),
            numbers=numbers,
            problems=list(view.problems)[:100],
            waits=view.choices,
            can_stop=row.holder_alive,
            can_resume=state != "done" and not row.holder_alive,
            error=error_facts(self.jobs.errors[view.run_id]) if view.run_id in self.jobs.errors else None,
            live=True,
        )

    async def file(self, request: Request) -> Response:
        """Send a file that the journal lists, by its number; never by a path."""
        path, media_type = await self._file_of(request)
        if not media_type.startswith(_SHOWN_TYPES):
            return FileResponse(path, media_type="application/octet-stream", filename=path.name)
        return FileResponse(path, media_type=media_type)

    async def thumb(self, request: Request) -> Response:
        """Send a small picture of a file, made once and kept in the state folder."""
        path, media_type = await self._file_of(request)
        if not media_type.startswith("image/"):
            return PlainTextResponse("not a picture", 404)
        stat = path.stat()
        name = hashlib.sha256(f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}".encode()).hexdigest()[:40]
        kept = self._settings.state_dir / "thumbnails" / f"{name}.webp"
        if not kept.is_file():
            made = await asyncio.get_running_loop().run_in_executor(self._pool, thumbnail, path)
            if made is None:
                return PlainTextResponse("no thumbnail", 404)
            make_private_folder(kept.parent)
            await asyncio.to_thread(replace_file, kept, made.webp, private=True)
        return FileResponse(kept, media_type="image/webp", headers={"cache-control": "private, max-age=604800"})

    async def _file_of(self, request: Request) -> tuple[Path, str]:
        _, view = await self._views.view(request.path_params["run_id"])
        number = request.path_params["number"]
        if number >= len(view.files) or not inside(view.out_dir, view.files[number].path):
            raise UsageError(
                "ZF049", "this file is not on disk", f"Run `zenflow fetch {view.run_id}` to save it again."
            )
        return view.files[number].path, view.files[number].media_type

    async def ledger(self, request: Request) -> Response:
        """Show the cost history; each server apart."""
        by = request.query_params.get("by", "month")
        by = by if by in KEYS else "month"
        entries = await self._views.costs()
        rows = grouped(entries, by)
        return self._page(
            "ledger.html.j2",
            title="Ledger",
            by=by,
            groups=list(KEYS),
            servers=[(total, [row for row in rows if row.server == total.server]) for total in totals(entries)],
            is_time=by in TIMES,
            live=True,
        )

    async def ledger_csv(self, request: Request) -> Response:
        """Send the cost history as CSV."""
        by = request.query_params.get("by", "month")
        text = costs_csv(await self._views.costs(), by if by in KEYS else "month")
        headers = {"content-disposition": f'attachment; filename="ledger-by-{by if by in KEYS else "month"}.csv"'}
        return Response(text + "\n", media_type="text/csv; charset=utf-8", headers=headers)

    async def style(self, request: Request) -> Response:
        """Send the style that the pages share with the report."""
        return FileResponse(Path(report_html.__file__).with_name("report.css"), media_type="text/css")

    async def events(self, request: Request) -> Response:
        """Send a server-sent event whenever the journal has changed."""

        async def changes() -> AsyncIterator[str]:
            mark = self._views.change_mark()
            yield "retry: 2000\n\n"
            quiet = 0.0
            while not await request.is_disconnected():
                await asyncio.sleep(LOOK_EVERY_S)
                now, quiet = self._views.change_mark(), quiet + LOOK_EVERY_S
                if now != mark:
                    mark, quiet = now, 0.0
                    yield "event: changed\ndata: 1\n\n"
                elif quiet >= 15:
                    quiet = 0.0
                    yield ": still here\n\n"

        return StreamingResponse(changes(), media_type="text/event-stream")

    # ------------------------------------------------------------------------------------------------------- planning

    async def recipes(self, request: Request) -> Response:
        """Show the recipes of this workspace."""
        found = []
        for name in recipe_names(self._current):
            try:
                recipe: Recipe | None = self._recipe(name)
            except ZenflowError:
                recipe = None
            found.append((name, recipe))
        return self._page("recipes.html.j2", title="Plan", recipes=found)

    async def form(self, request: Request) -> Response:
        """Show the form of a recipe's inputs."""
        name = request.path_params["recipe"]
        return self._form_page(name, self._recipe(name), {}, "", None)

    async def planned(self, request: Request) -> Response:
        """Show what a run with these inputs would do and cost, with the button that agrees to its worst case."""
        name = request.path_params["recipe"]
        recipe, form = self._recipe(name), await request.form()
        words, typed = await words_of(recipe, form, self._settings.state_dir / "uploads")
        budget = str(form.get("budget") or "").strip()
        try:
            request_ = RunRequest(recipe=name, current=self._current, inputs=words, budget=budget_of(form))
            shown = await self.jobs.plan(request_)
        except ZenflowError as error:
            return self._form_page(name, recipe, typed, budget, error)
        return self._plan_page(name, shown)

    async def redo(self, request: Request) -> Response:
        """Show the plan of a new run that makes one instance again and reuses everything else."""
        _, view = await self._views.view(request.path_params["run_id"])
        form = await request.form()
        changes = {}
        prompt = str(form.get("prompt") or "").strip()
        if prompt and prompt != str(form.get("prompt_was") or "").strip():
            changes["prompt"] = prompt
        instance = str(form.get("instance") or "")
        wanted = RedoRequest(run=view.run_id, instance=instance, changes=changes, current=self._current)
        return self._plan_page(view.recipe, await self.jobs.plan_redo(wanted))

    async def start(self, request: Request) -> Response:
        """Start the run that a click agreed to."""
        form = await request.form()
        run_id = await self.jobs.start(str(form.get("plan_id", "")), str(form.get("worst", "")))
        return RedirectResponse(f"/runs/{quote(run_id)}", 303)

    def _recipe(self, name: str) -> Recipe:
        return read_recipe(RecipeRequest(recipe=name, current=self._current))

    def _form_page(
        self, name: str, recipe: Recipe, typed: dict[str, str], budget: str, error: ZenflowError | None
    ) -> Response:
        return self._page(
            "form.html.j2",
            status=200 if error is None else 422,
            title=recipe.name,
            name=name,
            recipe=recipe,
            fields=fields_of(recipe, typed),
            budget=budget,
            error=None if error is None else error_facts(error),
        )

    def _plan_page(self, name: str, shown: Any) -> Response:
        from zenflow.report.verdict import sentence, ways_out

        plan = shown.plan
        fits = plan.judgement.verdict.value in ("fits", "may-stop", "may_stop", "may stop")
        return self._page(
            "plan.html.j2",
            title=f"Plan of {plan.recipe.name}",
            name=name,
            plan=plan,
            plan_id=shown.plan_id,
            worst=as_text(shown.worst),
            sentence=sentence(plan),
            ways_out=ways_out(plan),
            fits=fits,
            kept=() if plan.reuse is None else plan.reuse.kept,
        )

    # -------------------------------------------------------------------------------------------------------- actions

    async def price(self, request: Request) -> Response:
        """Show what the rest of a run costs, with the button that agrees to it."""
        run_id = request.path_params["run_id"]
        rest, most = await self.jobs.price_rest(ResumeRequest(run=run_id, current=self._current))
        if rest is None:
            return RedirectResponse(f"/runs/{quote(run_id)}", 303)
        return self._page(
            "rest.html.j2", title=f"Resume {run_id}", run_id=run_id, rest=rest, most=as_text(most), picks=()
        )

    async def resume(self, request: Request) -> Response:
        """Resume a run for the price that was shown."""
        run_id, form = request.path_params["run_id"], await request.form()
        await self.jobs.resume(run_id, str(form.get("worst", "")))
        return RedirectResponse(f"/runs/{quote(run_id)}", 303)

    async def stop(self, request: Request) -> Response:
        """Drain a run: nothing new is paid, what is paid is saved."""
        run_id = request.path_params["run_id"]
        if not self.jobs.stop(run_id):
            await run_queries.stop(run_id, self._settings)
        return RedirectResponse(f"/runs/{quote(run_id)}", 303)

    async def fetch(self, request: Request) -> Response:
        """Save what was paid for and is not on disk."""
        run_id = request.path_params["run_id"]
        found = await self.jobs.fetch(run_id)
        return self._page("fetched.html.j2", title=f"Fetch {run_id}", run_id=run_id, found=found)

    async def pick(self, request: Request) -> Response:
        """Show the choices that wait, as pictures."""
        row, view = await self._views.view(request.path_params["run_id"])
        choices = [(choice, [*enumerate(self._candidates(view, choice), 1)]) for choice in view.choices]
        return self._page("pick.html.j2", title="Pick", run_id=row.run_id, view=view, choices=choices)

    def _candidates(self, view: RunView, choice: ChoiceView) -> Iterator[str]:
        """Yield the address of each candidate's picture; empty where none is on disk."""
        run = quote(view.run_id)
        saved = {
            file.asset_id: number for number, file in enumerate(view.files) if file.media_type.startswith("image/")
        }
        for number, asset_id in enumerate(choice.asset_ids, 1):
            if asset_id in saved:
                yield f"/runs/{run}/files/{saved[asset_id]}"
            elif _preview_of(view, choice.instance, number) is not None:
                yield f"/runs/{run}/previews/{quote(choice.instance, safe='')}/{number}"
            else:
                yield ""

    async def preview(self, request: Request) -> Response:
        """Send the preview of a candidate, by its choice and number."""
        _, view = await self._views.view(request.path_params["run_id"])
        address, number = request.path_params["address"], request.path_params["number"]
        known = any(one.instance == address and 1 <= number <= len(one.asset_ids) for one in view.choices)
        path = _preview_of(view, address, number) if known else None
        if path is None:
            raise UsageError(
                "ZF049", "this file is not on disk", f"Run `zenflow fetch {view.run_id}` to save it again."
            )
        return FileResponse(path)

    async def pick_price(self, request: Request) -> Response:
        """Show the price of what follows the choices."""
        row, view = await self._views.view(request.path_params["run_id"])
        form = await request.form()
        picks: dict[str, tuple[int, ...]] = {}
        for choice in view.choices:
            address = choice.instance
            places = picked_places(form, address)
            if not places or len(places) > choice.most:
                text = f"choose 1 to {choice.most} for {address}" if choice.most > 1 else f"choose one for {address}"
                raise UsageError("ZF651", text, "Go back and choose.")
            picks[address] = tuple(places)
        rest, most = await self.jobs.price_rest(ResumeRequest(run=row.run_id, current=self._current, picks=picks))
        if rest is None:
            return RedirectResponse(f"/runs/{quote(row.run_id)}", 303)
        return self._page(
            "rest.html.j2",
            title="Pick",
            run_id=row.run_id,
            rest=rest,
            most=as_text(most),
            picks=[(address, ", ".join(map(str, places))) for address, places in picks.items()],
        )

    async def picked(self, request: Request) -> Response:
        """Resume with the choices whose price was shown."""
        return await self.resume(request)

    # ---------------------------------------------------------------------------------------------------------- shared

    def _page(self, template: str, *, status: int = 200, live: bool = False, **values: Any) -> Response:
        text = render(template, form_token=self._keys.form, workspace=str(self._current), live=live, **values)
        return HTMLResponse(text, status)

    def _error(self, error: ZenflowError) -> Response:
        status = 422 if isinstance(error, UsageError | InvalidRecipe) else 409
        return self._page("error.html.j2", status=status, title="Error", error=error_facts(error))


def _preview_of(view: RunView, address: str, number: int) -> Path | None:
    """Return the preview that a `pick` left of a candidate; None where there is none."""
    folder = view.out_dir / FOLDER
    names = (f"{address}-{number}{ending}" for ending in (".webp", ".png", ".jpg", ".jpeg", ".gif", ".avif"))
    return next((folder / name for name in names if inside(view.out_dir, folder / name)), None)


def _page_of(request: Request, count: int, size: int) -> tuple[int, int]:
    pages = max(1, -(-count // size))
    text = request.query_params.get("page", "1")
    return min(max(int(text) if text.isdigit() and len(text) < 7 else 1, 1), pages), pages


def _query(**values: str) -> str:
    return "".join(f"&{name}={quote(value)}" for name, value in values.items() if value)
