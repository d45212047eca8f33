"""The repositories of a workspace, with the cache that this machine keeps for all of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from zenflow.app.config.workspace import Workspace, find_workspace
from zenflow.clock import SystemClock, as_iso

if TYPE_CHECKING:
    from zenflow.repos.resolver import Repositories


def repositories_of(workspace: Workspace) -> Repositories:
    """Return those that its `zenflow.toml` names; nothing is read yet."""
    from zenflow.repos.cache import Cache, cache_folder
    from zenflow.repos.resolver import Repositories

    cache = Cache(cache_folder(os.environ), as_iso(SystemClock().now()))
    return Repositories(workspace.root, workspace.file, cache)


def boundary_of(recipe: Path) -> tuple[Path, Workspace]:
    """Return the folder that a recipe's files may not leave, and its workspace.

    It is the root of the workspace. Where there is none, or where it would be the operator's home, it is the recipe's folder.
    """
    folder = recipe.absolute().parent
    workspace = find_workspace(folder)
    home = Path(os.path.expanduser("~"))
    if workspace.file is None or home.is_relative_to(workspace.root):
        return recipe.parent, workspace
    return workspace.root, workspace
