"""Characters and marks that look right and are not: what an editor, a chat or a web page puts in the place of YAML's own.

Looked for only where YAML has given up, or where a text is likely cut; a text that is meant as it stands is left alone.
"""

from __future__ import annotations

import re

from zenflow.problems import Problems
from zenflow.recipe.text.nodes import Node, Text
from zenflow.recipe.text.positions import locator

LOOKALIKE = "ZF126"
LOST_TEXT = "ZF127"
PLAIN_TEXT = "ZF317"
_SPACE = re.compile(r"(?:^[ ]*|[:\-,\[{] *)([\u00a0\u2000-\u200b\u202f\u3000])")
_COLON = re.compile(r"^\s*(?:- )*[\w-]+(：)")
_QUOTE = re.compile(r"(?:^|[:\-,\[{] *)([“”„«‘’])")
_CUT = re.compile(r" #\w")
_OF_A_SHELL = re.compile(r"\$\{[A-Z][A-Z0-9_]*(:-[^}]*)?\}|\A\$[A-Z][A-Z0-9_]*\Z")
_IN_BRACKETS = re.compile(r"[{(<] *(?:inputs|steps|origin|previous)\.")
_BLOCK = re.compile(r"\{%-?\s*(?:for|if|set|macro|include)\b[^%]*%\}")
_EXPRESSION = re.compile(r"""\$\{\{(?:[^{}'"]|'[^']{0,200}'|"[^"]{0,200}")*\}\}""")
_LIKE_AN_EXPRESSION = re.compile(
    r"(?:\$?[{(]|<)\s*(?:inputs|steps|origin|previous)(?:\.\w+)+\s*[})>]|\$\{?\s*(?:(?:inputs|steps|origin|previous)(?:\.\w+)+|item)\b[^}]*\}?|\A(?:inputs|steps|origin|previous)(?:\.\w+|\[\d+\])+\Z"
)


def report_lookalike(source: Text, problems: Problems, line: int) -> bool:
    """Whether one of them is what stopped the parser, there or on the lines just above."""
    for number in range(max(line - 2, 0), line + 1):
        text = source.line(number)
        for pattern, what, hint in (
            (_SPACE, "a space that YAML does not know", "Put an ordinary space in its place."),
            (_COLON, "a colon that YAML does not know", "Write `: `, with an ordinary colon."),
            (_QUOTE, "a quote that YAML does not know", "Quotes are straight: `\"…\"` or `'…'`."),
        ):
            match = pattern.search(text)
            if match is not None:
                place = source.place(number, match.start(1), number, match.end(1))
                problems.error(LOOKALIKE, f"U+{ord(match[1]):04X} is {what}", place, hint)
                return True
    return False


def may_be_cut(text: str) -> bool:
    """Whether ` #` stands anywhere so that it may cut a text off."""
    return _CUT.search(text) is not None or any(_hides_expression(line, line.find(" #")) for line in text.split("\n"))


def _hides_expression(line: str, start: int) -> bool:
    """Whether an expression stands behind a ` #` at `start`."""
    return start >= 0 and line.rfind("${{") > start


def warn_if_cut(node: Node, problems: Problems) -> None:
    """` #` begins a comment in YAML: of `person #1` there remains `person`."""
    line = node.source.line(node.end_line)
    start = node.end_column
    cut = line.startswith(" #", start) and (_CUT.match(line, start) is not None or _hides_expression(line, start))
    if not cut or ("{{" in node.value and "}}" not in node.value):  # the latter is told as an error
        return
    begin = node.end_column + 1
    place = node.source.place(node.end_line, begin, node.end_line, len(line.rstrip()))
    hint = 'If it is part of the text, quote all of it: `"… #…"`; a comment is written `# …`.'
    problems.warning(LOST_TEXT, "the text ends here: ` #` begins a comment", place, hint)


def warn_of_unused_anchor(node: Node, name: str, problems: Problems) -> None:
    """`&co person` is the text `person` under the name `co`."""
    text = f"&{name} {node.value}"
    hint = f'If it is part of the text, write it in quotes: "{text}".'
    place = node.source.place(node.line, node.column, node.end_line, node.end_column)
    problems.warning(LOST_TEXT, f"`&{name}` names this text for `*{name}`, which stands nowhere", place, hint)


def warn_of_plain_text(node: Node, problems: Problems) -> None:
    """`$steps.a.asset_id`, `${inputs.photo}`, or `steps.a.files` alone: text, and most likely meant as an expression.

    So are a shell's `${NAME:-default}` and Jinja's `{% for … %}`.
    """
    shell = _OF_A_SHELL.search(node.value)
    if shell is not None:
        hint = "Expressions cannot read an environment: declare an input, and write `${{ inputs.NAME }}`."
        problems.warning(PLAIN_TEXT, f"`{shell[0]}` is plain text", locator(node)(shell.start(), shell.end()), hint)
        return
    if warn_of_blocks(node, problems):
        return
    for match in _LIKE_AN_EXPRESSION.finditer(node.value):
        inner = match[0].strip("${}()<> ")
        place = locator(node)(match.start(), match.end())
        hint = f"For an expression write `${{{{ {inner} }}}}`."
        problems.warning(PLAIN_TEXT, f"`{match[0]}` is plain text", place, hint)


def warn_of_blocks(node: Node, problems: Problems) -> bool:
    """Jinja's `{% for … %}` outside of expressions; whether there is one."""
    text = _EXPRESSION.sub(lambda match: " " * len(match[0]), node.value)
    found = _BLOCK.search(text)
    if found is None:
        return False
    place = locator(node)(found.start(), found.end())
    hint = "Write `${{ a if c else b }}`, or go over a list with `foreach`."
    problems.warning(
        PLAIN_TEXT, f"`{node.value[found.start() : found.end()]}` is plain text: there are no blocks", place, hint
    )
    return True


def may_be_expression(value: str) -> bool:
    """The quick look before the slow one."""
    if "$" in value or "{%" in value:
        return True
    return "." in value and (
        value.startswith(("inputs.", "steps.", "origin.", "previous.")) or _IN_BRACKETS.search(value) is not None
    )
