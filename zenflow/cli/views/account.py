"""One account: balance and gates."""

from __future__ import annotations

from typing import Any

from zenflow.app.account import AccountView
from zenflow.cli.views.ink import Ink
from zenflow.cli.views.places import where_line
from zenflow.credits import as_number, as_text


def draw_account(view: AccountView, ink: Ink) -> str:
    account = view.account
    lines = [
        ink.strong(where_line(view.server)),
        f"  account         {account.account_id}" + (f" ({account.email})" if account.email else ""),
        f"  credits         {as_text(account.credits)}",
        f"  set aside here  {as_text(view.committed)}",
        f"  adult content   {'allowed' if account.nsfw_allowed else 'not allowed'}",
        f"  trusted         {'yes' if account.is_trusted else 'no: models marked trusted-only are refused'}",
    ]
    if account.is_blocked:
        lines.append(ink.bad("  The account is blocked."))
    if account.out_of_credits:
        lines.append(ink.warn("  Out of credits.") + (f" → {account.purchase_url}" if account.purchase_url else ""))
    return "\n".join(lines)


def account_document(view: AccountView) -> dict[str, Any]:
    account = view.account
    return {
        "server": view.server,
        "account_id": account.account_id,
        "email": account.email,
        "credits": as_number(account.credits),
        "committed": as_number(view.committed),
        "nsfw_allowed": account.nsfw_allowed,
        "is_trusted": account.is_trusted,
        "is_blocked": account.is_blocked,
        "out_of_credits": account.out_of_credits,
    }
