"""Copies of a journal: a backup made at some moment, put back later; and both copies worked on, one after the other.

Two copies that work at the same time cannot know of each other (docs/promises.md): whoever changes from one to the other
lets what is on the wire arrive first, as for a lost answer (A4). What a copy has made, another one sees by its stamps.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.build import Harness
from tests.support.memory_journal import MemoryJournal

ARRIVES_S = (
    130.0  # until then what a process left on the wire has been read, or never will be: `lost_answer_wait` and some
)
REST_S = 170.0  # more than a task stays out of the listing


@dataclass(slots=True)
class Copies:
    """`both`: the copy that was left is worked on again. `spare`: the copy that nobody works on now."""

    both: bool = False
    spare: MemoryJournal | None = None
    changes: int = 0

    def take(self, stage: Harness) -> None:
        """Somebody makes a backup: what is committed at this moment. One without the run would begin another run."""
        if self.spare is None and stage.events():
            self.spare = stage.journal.survives()

    @property
    def may_change(self) -> bool:
        """Whether another copy is there to go on with: a backup is put back once; of two, each has its turn."""
        return self.spare is not None and (self.both or not self.changes)

    def change(self, stage: Harness) -> None:
        """Go on with the other copy."""
        assert self.spare is not None
        stage.clock.advance(ARRIVES_S)
        stage.service.settle()
        stage.clock.advance(REST_S)
        stage.journal, self.spare = self.spare.survives(), stage.journal
        stage.other_copies = [self.spare]
        self.changes += 1
