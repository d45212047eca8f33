"""What ready calls cost now, and which of them may be sent: the quote, the recipe's ceiling, the plan's price, the room.

Decides nothing about order or batches and sends nothing (`submission` does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.credits import ZERO, as_text, in_words
from zenflow.engine.budget.downstream_prices import DownstreamPrice, highest_price
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.model.instances import StopReason
from zenflow.engine.model.ready_queue import Priced, Ready
from zenflow.engine.payment.quotes import FreshQuotes
from zenflow.history.state import SubmissionState
from zenflow.plan.analysis.source_map import with_source_location
from zenflow.providers.base import ServiceError

FREE_CALL_OPEN = StopReason(
    "ZF646", "a call quoted at 0 credits is open, and what it costs is not known yet", "`zenflow resume RUN`."
)
MOVED_HINT = "`zenflow resume RUN` shows the new total and asks."


class Pricing:
    """Fresh quotes and the room for them. Raises ServiceError where the service cannot be asked."""

    def __init__(self, context: Context) -> None:
        self.quotes = FreshQuotes(context.service, context.clock, context.limits.quote_ttl_s)
        self._context = context
        self._stopped: dict[str, StopReason] = {}  # tools with which nothing more is sent by this process

    async def price_of(self, tool_name: str, params: Mapping[str, Any]) -> Decimal | None:
        """Today's price of one call; None where there is none."""
        tool = self._context.catalog.tools.get(tool_name)
        if tool is None:
            return None
        price_request = self.quotes.price_request(tool, params)
        return (await self.quotes.ask([price_request]))[price_request.key].credits

    async def prices_of(self, tool_name: str, many: Sequence[Mapping[str, Any]]) -> list[Decimal | None]:
        """Today's price of each call of one tool."""
        tool = self._context.catalog.tools.get(tool_name)
        if tool is None:
            return [None] * len(many)
        price_requests = [self.quotes.price_request(tool, params) for params in many]
        quotes = await self.quotes.ask(price_requests)
        return [quotes[price_request.key].credits for price_request in price_requests]

    async def priced(self, candidates: Sequence[Ready]) -> list[Priced]:
        """Those that have a price that may be paid; the others fail or are held, each with its reason."""
        tools = self._context.catalog.tools
        price_requests = [self.quotes.price_request(tools[ready.tool], ready.params) for ready in candidates]
        downstream = [one.price_request for ready in candidates for one in self._downstream(ready)]
        quotes = await self.quotes.ask([*price_requests, *downstream])
        found = []
        for ready, price_request in zip(candidates, price_requests, strict=True):
            quote = self._accepted(ready, price_request, quotes[price_request.key])
            if quote is None:
                continue
            why_not = self._stopped.get(ready.tool) or self._increased_downstream(ready, quotes)
            if why_not is not None:
                self._context.pause(ready.instance, why_not)
            else:
                found.append(Priced(ready, quote, price_request.key))
        return found

    def _downstream(self, ready: Ready) -> Sequence[DownstreamPrice]:
        return self._context.downstream.of(ready.instance.step.plan_path)

    def _increased_downstream(self, ready: Ready, quotes: Mapping[str, Quote]) -> StopReason | None:
        """A price of what follows, asked with a stand-in, has risen: nothing is paid that leads there (promise 2)."""
        said = next((said for one in self._downstream(ready) if (said := one.increased(quotes)) is not None), None)
        return None if said is None else StopReason("ZF633", said, MOVED_HINT)

    def _shown(self, ready: Ready, price_request: PriceRequest) -> Decimal | None:
        """What the plan showed for this call; for one whose parameters it did not know, the most for one of its step."""
        context = self._context
        tool = context.catalog.tools[ready.tool]
        shown = context.planned_prices.get(self.quotes.key_in_plan(price_request, tool, ready.params))
        return highest_price(context.plan_of(ready.instance.step)) if shown is None else shown

    def _accepted(self, ready: Ready, price_request: PriceRequest, quote: Quote) -> Decimal | None:
        context, instance = self._context, ready.instance
        ceiling = instance.step.spec.max_credits
        most = None if ceiling is None else Decimal(str(ceiling))
        if quote.credits is None:
            if quote.refusal_status in (400, 403, 404, 422):
                reason = with_source_location(instance.step.spec, f"the service refuses this call: {quote.refusal}")
                context.fail(instance, "ZF630", reason, "")
                return None
            if most is None:
                context.pause(
                    instance, StopReason("ZF631", f"no price can be had: {quote.refusal}", "Give it `max_credits`.")
                )
                return None
            return most
        cost = context.ledger.cost(ready.tool, quote.credits)
        if most is not None and cost > most:
            charged = "" if cost == quote.credits else f" and charged at {as_text(cost)}"
            text = f"quoted at {in_words(quote.credits)}{charged}, above `max_credits: {as_text(most)}`"
            context.pause(instance, StopReason("ZF632", text, "Raise `max_credits`, or choose a cheaper model."))
            return None
        shown = self._shown(ready, price_request)
        if shown is not None and quote.credits > shown:
            text = f"the price moved since the plan: {as_text(shown)} → {in_words(quote.credits)} a call"
            context.pause(instance, StopReason("ZF633", text, MOVED_HINT))
            return None
        return cost

    async def affordable(self, calls: Sequence[Priced], busy: bool) -> tuple[list[Priced], list[Ready]]:
        """What fits now, reserved; what must wait. What can never fit is held with the reason. `busy`: calls are in
        flight, and may release money."""
        context = self._context
        if context.ledger.overcharged:
            context.ledger.read_charges()
        chosen: list[Priced] = []
        waiting: list[Ready] = []
        for call in calls:
            if call.quote == ZERO and not self._may_cost_nothing(call.ready.tool):
                if self._is_probing(call.ready.tool) or any(one.ready.tool == call.ready.tool for one in chosen):
                    if busy or chosen:
                        waiting.append(call.ready)
                    else:
                        context.pause(call.ready.instance, FREE_CALL_OPEN)
                    continue
                call = replace(call, ready=replace(call.ready, max_batch_size=1))
            instance = call.ready.instance
            downstream = context.downstream_credits(instance)
            short = context.ledger.no_room_for(instance, call.quote, downstream, context.frame_budgets)
            if short is not None and short.balance:
                await self.read_balance()
                short = context.ledger.no_room_for(instance, call.quote, downstream, context.frame_budgets)
            if short is None:
                context.ledger.reserve(instance, call.quote, downstream)
                chosen.append(call)
            elif busy or chosen:
                waiting.append(call.ready)
            else:
                context.pause(instance, StopReason(short.code, short.message, short.hint))
        return chosen, waiting

    def _may_cost_nothing(self, tool: str) -> bool:
        """Whether a call of the tool that was quoted at zero is over, or its debit was seen: until then one goes out alone."""
        zero = [one for one in self._context.recorder.state.submissions.values() if one.tool == tool and not one.quote]
        return any(one.confirmed is not None or (one.task_id is not None and one.is_settled) for one in zero)

    def _is_probing(self, tool: str) -> bool:
        submissions = self._context.recorder.state.submissions.values()
        return any(one.tool == tool and not one.quote and not one.is_settled for one in submissions)

    async def read_balance(self) -> None:
        """Read the account again before anybody is refused for its balance; a failed reading changes nothing."""
        context = self._context
        try:
            account = await context.service.ask(Kind.PRICE, context.service.provider.account)
        except ServiceError:
            return
        run_id = context.parts.lease.run_id
        others = context.parts.journal.committed_elsewhere(context.account_id, run_id)
        context.ledger.read_balance(account.credits, others)

    async def total_of(self, submission: SubmissionState) -> Decimal | None:
        """Today's cost of a whole submission; None where one of its calls has no price."""
        tool, cost = submission.tool, self._context.ledger.cost
        prices = await self.prices_of(tool, [call.call.params for call in submission.calls])
        return None if None in prices else sum((cost(tool, price) for price in prices if price is not None), ZERO)

    def stop(self, tool: str, why: StopReason) -> None:
        """Nothing more is sent with it by this process."""
        self._stopped.setdefault(tool, why)

    def contradicted(self, submission: SubmissionState, amount: Decimal) -> None:
        """A debit of another amount than the quote: quotes of the tool are asked for anew, by all that may bear a price;
        above its quote, nothing more is sent with it by this process (promise 3)."""
        self.quotes.contradict(submission.tool, frozenset(k for call in submission.calls for k in call.call.params))
        ledger = self._context.ledger
        ledger.read_charges()
        if any(ledger.cost(submission.tool, call.call.quote) > call.call.quote for call in submission.calls):
            text = (
                f"{submission.tool} was quoted at {in_words(submission.quote)} and charged {as_text(amount)} "
                f"(task {submission.task_id}): nothing more is sent with it"
            )
            hint = "`zenflow resume RUN` goes on, and sets aside what it really charges."
            self.stop(submission.tool, StopReason("ZF635", text, hint))
