"""Names of files: what an author's template rendered, made fit for every file system we know; endings by media type.

Pure. It knows nothing of what lies in the folder already.
"""

from __future__ import annotations

import re
import unicodedata

from zenflow.artifacts.base import ArtifactError

MOST_CHARACTERS = 100
MOST_BYTES = 200  # of 255 that file systems allow: room for `-12345678` and an ending
MOST_PARTS = 16
PART_PREFIX = ".zenflow-part-"  # of files that are not whole yet (disk.py)

_FORBIDDEN = re.compile(r'[<>:"\\|?*]')
# Devices of Windows, with any ending (learn.microsoft.com, “Naming Files, Paths, and Namespaces”).
_RESERVED = re.compile(r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
# Marks that turn the direction of what is shown after them: a name must look like what it is.
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINING = "\u200d\ufe0f"  # nothing to join at the end of a name that was cut


def portable_path(text: str) -> str:
    """`text` as a relative path, `/` between folders, every part portable. Raises ArtifactError (ZF870 to ZF873)."""
    if text.startswith(("/", "\\\\")) or _DRIVE.match(text):
        raise ArtifactError("ZF870", f"The file name {_shown(text)} is an absolute path", _hint())
    parts = text.split("/")
    if len(parts) > MOST_PARTS:
        raise ArtifactError("ZF873", f"The file name {_shown(text)} has more than {MOST_PARTS} folders", _hint())
    if ".." in (part.strip() for part in parts):
        raise ArtifactError("ZF871", f"The file name {_shown(text)} leads out of its folder with `..`", _hint())
    portable = [_portable_part(part) for part in parts]
    if "" in portable:
        where = "is empty" if len(parts) == 1 else "has an empty part"
        raise ArtifactError("ZF872", f"The file name {_shown(text)} {where}", _hint())
    return "/".join(portable)


def id_digits(asset_id: str, count: int = 8) -> str:
    """The first letters and digits of an id, for a name that is taken already."""
    return "".join(letter for letter in asset_id if letter.isascii() and letter.isalnum())[:count]


def _portable_part(part: str) -> str:
    text = unicodedata.normalize("NFC", "".join("-" if _unfit(letter) else letter for letter in part))
    text = _cut(_FORBIDDEN.sub("-", text).strip(" "))
    stem, dot, rest = text.partition(".")
    if _RESERVED.fullmatch(stem.rstrip(" ")):
        text = f"{stem.rstrip(' ')}_{dot}{rest}"
    if text.startswith(PART_PREFIX):
        text = "_" + text[1:]
    return text


def _unfit(letter: str) -> bool:
    """Control characters, separators of lines, halves of characters, turning marks."""
    return letter in _TURNING or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


def _cut(text: str) -> str:
    """Windows drops spaces and dots at the end; a name must not depend on who looks."""
    if len(text) <= MOST_CHARACTERS and len(text.encode()) <= MOST_BYTES:
        return text.rstrip(" .")
    short = text[:MOST_CHARACTERS].encode()[:MOST_BYTES].decode(errors="ignore")
    return short.rstrip(" ." + _JOINING)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _hint() -> str:
    return "Change `name` of the step: a relative path like `portraits/anna-1`, without an ending."
