"""Whether a call may be sent, as far as money goes. Pure: it is told what is known and answers with room or a reason.

Against the budget count reserved, charged and unknown. Against the balance count only reservations that its last reading
cannot contain. *Tails before heads*: what must follow a started call to make it useful is kept free (docs/money.md, “Budget”).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from zenflow.credits import ZERO, as_text, in_words
from zenflow.engine.budget.surcharges import Overcharges
from zenflow.engine.model.instances import Frame, Instance
from zenflow.history.outcomes import is_released
from zenflow.history.state import RunState


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Why a call is not sent. `balance`: the balance is short, not the budget."""

    code: str
    message: str
    hint: str
    balance: bool = False


COST_UNKNOWN = NoRoom(
    "ZF646",
    "a task carries this run's stamp, the journal does not know it, and nobody can say what it has cost",
    "`zenflow reconcile RUN` shows what is known of it and takes your decision.",
)


@dataclass(slots=True)
class Ledger:
    """The sums of one process's part of a run. `state.totals` holds what is in the journal; `pending` what is on its way."""

    state: RunState
    reserves_downstream: bool  # the worst case does not fit: what was started is finished first
    pending: Decimal = ZERO
    balance: Decimal | None = None
    since_reading: Decimal = ZERO  # reservations that the last reading of the balance cannot contain
    others: Decimal = ZERO  # open reservations of other runs of this account
    frame_spent: dict[str, Decimal] = field(default_factory=dict)  # per frame with a budget of its own
    unrecognized_cost: Callable[[], Decimal | None] = lambda: ZERO  # tasks of this run that the journal does not know
    overcharged: Overcharges = field(default_factory=Overcharges)
    _still_to_show: Decimal = ZERO
    _reserved: dict[Instance, Decimal] = field(default_factory=dict)
    _reserved_sum: Decimal = ZERO

    def __post_init__(self) -> None:
        self.read_charges()

    @property
    def room(self) -> Decimal:
        """Credits of the budget that nothing has a claim on."""
        if self.unrecognized_cost() is None:
            return ZERO
        return self.state.budget - self.committed - self.pending - self._still_to_show

    @property
    def committed(self) -> Decimal:
        """Charged, reserved and unknown; a task that the journal does not know is unknown too."""
        return self.state.totals.committed + (self.unrecognized_cost() or ZERO)

    def overdrawn(self) -> NoRoom | None:
        """Why not even what is set aside already may be sent: more is committed than the budget holds, or nobody knows."""
        if self.unrecognized_cost() is None:
            return COST_UNKNOWN
        if self.committed <= self.state.budget:
            return None
        used = f"{in_words(self.committed)} are charged or set aside, and the budget is {as_text(self.state.budget)}"
        return NoRoom("ZF620", used, "Raise it: `zenflow resume RUN --budget N`.")

    def read_charges(self) -> None:
        """Learn from the rows seen so far which calls cost more than their quotes."""
        submissions = self.state.submissions.values()
        self.overcharged = Overcharges(submissions)
        self._still_to_show = self.overcharged.still_to_show(submissions)

    def cost(self, tool: str, quote: Decimal) -> Decimal:
        """What a call costs at this quote, by what the service has charged for its like."""
        return self.overcharged.cost(tool, quote)

    @property
    def balance_room(self) -> Decimal | None:
        return None if self.balance is None else self.balance - self.since_reading - self.others

    def read_balance(self, balance: Decimal | None, others: Decimal) -> None:
        """A fresh reading; it contains every debit made before it was asked for."""
        self.balance, self.others, self.since_reading = balance, others, self.pending

    def no_room_for(
        self, instance: Instance, quote: Decimal, downstream: Decimal, frame_budgets: FrameBudgets
    ) -> NoRoom | None:
        """None when the call may be sent now."""
        if self.unrecognized_cost() is None:
            return COST_UNKNOWN
        wanted = quote + (downstream if self.reserves_downstream else ZERO)
        kept = self._kept_for_others(instance) if self.reserves_downstream else ZERO
        if wanted + kept > self.room or quote > self.room:
            return NoRoom(
                "ZF620",
                f"the budget of {in_words(self.state.budget)} leaves {as_text(max(self.room, ZERO))}, "
                f"and the next call needs {as_text(wanted)}" + (" with what must follow it" if wanted > quote else ""),
                "Raise it: `zenflow resume RUN --budget N`.",
            )
        inner = frame_budgets.short(instance, quote, self.frame_spent)
        if inner is not None:
            return inner
        room = self.balance_room
        if room is not None and quote > room:
            return NoRoom(
                "ZF621",
                f"the balance leaves {in_words(max(room, ZERO))}, and the next call needs {as_text(quote)}",
                "Top up, then `zenflow resume RUN`.",
                balance=True,
            )
        return None

    # ------------------------------------------------------------------------------------------------------ reservations

    def reserve(self, instance: Instance, quote: Decimal, downstream: Decimal) -> None:
        """Set aside, before the journal has it."""
        self.pending += quote
        self.since_reading += quote
        self._count(instance, quote)
        if self.reserves_downstream:
            self._release_reserved(instance, quote + downstream)
            self._reserve_downstream(instance, downstream)

    def took_over(self, instance: Instance, quote: Decimal) -> None:
        """A task that the journal had forgotten has made this call: the books hold it, and so must the budgets of recipes
        used as a step."""
        self._count(instance, quote)

    def journaled(self, quote: Decimal) -> None:
        """The journal's books hold it now."""
        self.pending -= quote

    def take_back(self, instance: Instance, quote: Decimal, *, was_pending: bool) -> None:
        """The call was not made: refused, or never journaled."""
        if was_pending:
            self.pending -= quote
        self.since_reading = max(ZERO, self.since_reading - quote)
        self._count(instance, -quote)
        self.release_downstream(instance)

    def _count(self, instance: Instance, quote: Decimal) -> None:
        for frame in _frames_of(instance):
            self.frame_spent[frame.prefix] = self.frame_spent.get(frame.prefix, ZERO) + quote

    # ------------------------------------------------------------------------------------------------------------- tails

    def release_downstream(self, instance: Instance) -> None:
        """Nothing will follow it."""
        self._reserved_sum -= self._reserved.pop(instance, ZERO)

    def release_all_downstream(self) -> None:
        """Nothing runs: everything that was owed has been begun, or will not come."""
        self._reserved.clear()
        self._reserved_sum = ZERO

    def _kept_for_others(self, instance: Instance) -> Decimal:
        """What is owed, less what this very call is a part of."""
        reserving = self._reserving_instance(instance)
        return self._reserved_sum - (self._reserved.get(reserving, ZERO) if reserving is not None else ZERO)

    def _reserve_downstream(self, instance: Instance, downstream: Decimal) -> None:
        if downstream > 0:
            self._reserved[instance] = self._reserved.get(instance, ZERO) + downstream
            self._reserved_sum += downstream

    def _release_reserved(self, instance: Instance, amount: Decimal) -> None:
        reserving = self._reserving_instance(instance)
        if reserving is None:
            return
        reserved = self._reserved[reserving]
        paid = min(reserved, amount)
        self._reserved_sum -= paid
        if paid == reserved:
            del self._reserved[reserving]
        else:
            self._reserved[reserving] = reserved - paid

    def _reserving_instance(self, instance: Instance) -> Instance | None:
        at = instance.source
        while at is not None:
            if at in self._reserved:
                return at
            at = at.source
        return None


@dataclass(slots=True)
class FrameBudgets:
    """The budget of each recipe used as a step holds per instance (docs/language.md, “Actions”)."""

    budgets: dict[str, Decimal] = field(default_factory=dict)  # by frame prefix

    def short(self, instance: Instance, quote: Decimal, spent: dict[str, Decimal]) -> NoRoom | None:
        for frame in _frames_of(instance):
            budget = self.budgets.get(frame.prefix)
            if budget is not None and spent.get(frame.prefix, ZERO) + quote > budget:
                return NoRoom(
                    "ZF622",
                    f"the budget of {in_words(budget)} of `{frame.prefix.rstrip('/')}` is used up",
                    "Raise the budget in that recipe, then `zenflow resume RUN --recipe FILE`.",
                )
        return None


def spent_by_frame(state: RunState) -> dict[str, Decimal]:
    """What each recipe used as a step has set aside or spent so far: a resume goes on counting from there."""
    spent: dict[str, Decimal] = {}
    for submission in state.submissions.values():
        if is_released(submission.outcome):
            continue
        for call in submission.calls:
            outer, *inner = call.call.instance.split("/")
            for depth in range(len(inner)):
                prefix = "/".join([outer, *inner[:depth]]) + "/"
                spent[prefix] = spent.get(prefix, ZERO) + call.call.quote
    return spent


def _frames_of(instance: Instance) -> list[Frame]:
    """The frames around an instance, without the run's own."""
    frames = []
    frame = instance.step.frame
    while frame.outer is not None:
        frames.append(frame)
        frame = frame.outer.step.frame
    return frames
