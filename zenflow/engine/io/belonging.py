"""A run belongs to one account: what executes it, or acts on it, as another one is refused before it looks or sends.

The commands compare when they sign in (docs/money.md, “Resume”); this is the last gate, where no road leads past it.
"""

from __future__ import annotations

from zenflow.catalog.model import Account
from zenflow.errors import Refused
from zenflow.history.events import RunStarted

OTHER_ACCOUNT = "ZF668"


def compare_account(started: RunStarted, account: Account) -> None:
    """Raises Refused. Another account sees none of the run's tasks: each would seem never to have been made."""
    if account.account_id == started.account_id:
        return
    raise Refused(
        OTHER_ACCOUNT,
        f"Run {started.run_id} belongs to account {started.account_id}; signed in is {account.account_id}.",
        "Sign in as the account that began it (`zenflow login`). Nothing was sent.",
    )
