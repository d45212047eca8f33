"""What to do next, for codes whose finding does not say so itself, because it does not know more than its kind."""

from __future__ import annotations

from collections.abc import Mapping

_OF_FILES = "See that it is there, that you may read it, and that it is whole."
_OF_DECISIONS = "`zenflow reconcile RUN` shows what waits for a decision."
_OF_TOOLS = "Write one that fits; `zenflow tools NAME` shows what it takes."

NEXT_STEPS: Mapping[str, str] = {
    "ZF002": "`zenflow --help` shows the commands, and `zenflow COMMAND --help` their options.",
    "ZF003": "Leave one of them out; `zenflow COMMAND --help` shows what goes together.",
    "ZF006": "Leave it out, or name a step with `foreach`.",
    "ZF007": "Name fewer, as in `--pick STEP=1,3`.",
    "ZF011": "Name a recipe's file by its path; `zenflow init` makes a first one.",
    "ZF013": _OF_FILES,
    "ZF021": 'Put that line right: `key = value` below its `[table]`, and text in quotes, as in `server = "sandbox"`.',
    "ZF024": _OF_FILES,
    "ZF042": "Start it anew: `zenflow run RECIPE`.",
    "ZF043": "`zenflow runs` shows the runs that are there.",
    "ZF051": "Name a folder that can be written to.",
    "ZF064": "Install git, or compare files: `zenflow diff A.yaml B.yaml`.",
    "ZF065": "Name a file of this repository, by its path from the top.",
    "ZF067": "`zenflow sandbox --help` shows what it can be.",
    "ZF075": "`zenflow validate` says what has to be mended first.",
    "ZF077": "Name a file that can be written to.",
    "ZF105": "Write `key: value` on each line, and text with `: `, ` #`, `[` or `{` in quotes; begin with `zenflow: 1`.",
    "ZF109": "Close it, and put a comma between every two elements.",
    "ZF205": "Write a number that may stand there.",
    "ZF211": "Swap them, or leave one of them out.",
    "ZF213": "Write a default that fits, or widen what is allowed.",
    "ZF227": "Shorten the lists, or go over one of them in a step of its own.",
    "ZF228": "Mend that file first: what is wrong in it is told with its own place.",
    "ZF230": "Write the steps of an inner recipe into the one that uses it.",
    "ZF231": "Put the file into the workspace or the repository of the recipe.",
    "ZF302": "See that quotes and brackets come in pairs, and that a filter follows a `|`: `${{ inputs.name | slug }}`.",
    "ZF307": "There are literals, names, `.`, `[ ]`, arithmetic, comparisons, `and or not`, `a if c else b`, and filters.",
    "ZF308": "Leave out what is too much, or name the arguments as they are listed.",
    "ZF309": "Make it of shorter ones, or pass the long text as an input.",
    "ZF310": "Name one that is there, or declare it.",
    "ZF311": "Take another value, or turn it into that kind: `… | int`, `… | string`, `… | list`, `… | length`.",
    "ZF314": "Keep the numbers apart where it cannot be: `… if inputs.count > 0 else …`.",
    "ZF315": "Take less at once: a part of the list, `…[:100]`, or a shorter text.",
    "ZF326": "Write `foreach: ${{ steps.ID }}`, or name the instance: `steps.ID[index]`.",
    "ZF330": "Write a number, or read an input of type integer: `${{ inputs.count }}`.",
    "ZF350": "One of them has to begin without the others.",
    "ZF354": "Write `max: 8`, or an expression over inputs that gives a whole number.",
    "ZF406": _OF_TOOLS,
    "ZF407": _OF_TOOLS,
    "ZF410": _OF_TOOLS,
    "ZF411": "Go on: what can be read of it is checked, and the service checks the rest.",
    "ZF503": "Give another value: `-i NAME=VALUE`.",
    "ZF510": "Name a file that is there.",
    "ZF511": "Name a file in that folder.",
    "ZF521": "Give a smaller file, or one that may be read.",
    "ZF522": "See that the file is whole; in JSON, keys and texts stand in double quotes.",
    "ZF524": "Write different column names into its first line, and then one line for each element.",
    "ZF540": "Write it as `zenflow explain ZF540` shows.",
    "ZF543": "Take zenflow.lock from git again, or make it with `zenflow repo lock`.",
    "ZF544": "Name another revision: `zenflow repo update NAME --rev TAG`.",
    "ZF561": "Keep it, or raise the version of the repository.",
    "ZF562": "See what differs: `zenflow diff TAG:PATH PATH`.",
    "ZF550": "Name that repository in your own zenflow.toml.",
    "ZF631": "Try again when the service gives prices: `zenflow prices TOOL` asks for one.",
    "ZF647": _OF_DECISIONS,
    "ZF652": _OF_DECISIONS,
    "ZF653": _OF_DECISIONS,
    "ZF665": "Say it again when you agree; `--yes` agrees without being asked.",
    "ZF690": "Raise `[budget] per_day`, or go on tomorrow: `zenflow resume RUN`.",
    "ZF811": "Leave the run to the other, or stop it: `zenflow stop RUN`.",
    "ZF853": "Give a file, or an http(s) address.",
    "ZF854": "Give the UUID of the asset, or an http(s) address.",
}


def next_step(code: str, hint: str | None) -> str:
    """The hint that a finding brought, else that of its code; there is always one."""
    return hint or NEXT_STEPS.get(code) or f"`zenflow explain {code}` says more."
