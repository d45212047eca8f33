"""Whether requests are still made as the account that the run belongs to.

A run, its intents and its looks belong to one account (docs/money.md, “Resume”). The account was compared before the run began;
a token that took the place of another since (a refresh, a sign-in in another terminal) may be somebody else's. So it is
asked once for every new token, before anything is looked for or paid with it.
"""

from __future__ import annotations

from zenflow.catalog.model import Account
from zenflow.engine.io.client import ServiceClient
from zenflow.engine.io.rate_limiter import Kind
from zenflow.errors import Refused
from zenflow.history.events import RunStarted
from zenflow.providers.base import ServiceError


class AnotherAccount(ServiceError):
    """The sign-in is no longer that of the run's account. Nothing was sent with it."""

    def __init__(self, account_id: str, found: str) -> None:
        message = f"the run belongs to account {account_id}, and signed in is now {found}; nothing was sent as that one"
        hint = "Sign in as the account that began it (`zenflow login`), then `zenflow resume RUN`."
        super().__init__("sign_in", message, hint=hint)
        self.code = OTHER_ACCOUNT


class Identity:
    """`checked`: the number of the sign-in that was found to be the right one; None where there is only one."""

    def __init__(self, service: ServiceClient, account_id: str) -> None:
        self.checked: int | None = None
        self._service, self._account_id = service, account_id

    async def check(self) -> None:
        """Return when the token in use is known to be the account's. Raises AnotherAccount and ServiceError."""
        provider = self._service.provider
        while (number := provider.sign_in) != self.checked:
            account = await self._service.ask(Kind.LOOK, provider.account)
            if account.account_id != self._account_id:
                raise AnotherAccount(self._account_id, account.account_id)
            self.checked = number


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
