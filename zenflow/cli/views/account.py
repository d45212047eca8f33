"""One account: balance and gates."""

from __future__ import annotations

from typing import Any

from zenflow.app.config.setting_specs import SANDBOX
from zenflow.app.queries.account import AccountView
from zenflow.catalog.gates import BILLING_URL, SETTINGS_URL
from zenflow.catalog.model import Account
from zenflow.cli.terminal.headings import where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap
from zenflow.credits import as_number, as_text


def draw_account(view: AccountView, style: Style, width: int) -> str:
    account = view.account
    lines = [
        style.strong(where_line(view.server)),
        f"  account         {account.account_id}" + (f" ({account.email})" if account.email else ""),
        f"  credits         {as_text(account.credits)}",
        f"  set aside here  {as_text(view.committed)}",
        f"  adult content   {'allowed' if account.nsfw_allowed else 'not allowed'}",
        f"  trusted         {'yes' if account.is_trusted else 'no'}",
    ]
    for gate in gates(account):
        lines += wrap(gate, width, indent="    ", first="  · ")
    if account.closed:
        lines.append(style.bad(f"  The account is {account.closed}: the service refuses its calls."))
    if account.out_of_credits:
        lines.append(style.warn("  Out of credits."))
    if view.server != SANDBOX:
        lines.append(f"  → top up: {account.purchase_url or BILLING_URL}")
    return "\n".join(lines)


def gates(account: Account) -> list[str]:
    """What is closed to this account, what that means, and how it opens (docs/service.md, “Troubleshooting”)."""
    found = []
    if not account.nsfw_allowed:
        found.append(
            "adult content is off: adult models and presets are refused before anything is spent. "
            f"Switch it on in the account's settings: {SETTINGS_URL}."
        )
    if not account.is_trusted:
        found.append(
            "not trusted: adult work, and models and tools marked “trusted only”, are refused. "
            "The first payment, any credit pack, grants it automatically and for good."
        )
    return found


def account_document(view: AccountView) -> dict[str, Any]:
    account = view.account
    return {
        "server": view.server,
        "account_id": account.account_id,
        "email": account.email,
        "role": account.row.get("role"),
        "credits": as_number(account.credits),
        "committed": as_number(view.committed),
        "nsfw_allowed": account.nsfw_allowed,
        "is_trusted": account.is_trusted,
        "is_blocked": account.is_blocked,
        "active": account.is_active,
        "out_of_credits": account.out_of_credits,
        "gates": gates(account),
        "purchase_url": account.purchase_url or BILLING_URL,
    }
