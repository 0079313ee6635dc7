"""The parser's complaints in our words, with a hint for the usual causes.

The parser says where it noticed something, which is rarely where the mistake is; each function below knows one
mistake by the text round that place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..core.diagnostics import Diagnostic, Place
from .lines import LINE_BREAK

if TYPE_CHECKING:
    from collections.abc import Callable

    import yaml

EXPRESSION: Final = re.compile(r"\$?\{\{")
WHOLE_EXPRESSION: Final = re.compile(r"\$?\{\{.*?\}\}")
SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
KEY_WITHOUT_SPACE: Final = re.compile(r"\s*(?:- +)?[\w.-]+:(?=[^\s/])")
KEY: Final = re.compile(r"\s*(?:- +)*(?:[\w.${}-]+|\"[^\"]*\"|'[^']*'):(?:\s+|$)")

NO_KEY_HINT: Final = 'write "key: value"; text over several lines needs "|" after the key, or quotes'

Spot = tuple[int, int]  # line and column, from 0


@dataclass(slots=True)
class Complaint:
    """What the parser says. ``line`` is the source line at ``at``; ``context`` is where the thing it was in began."""

    problem: str
    context: str
    at: Spot
    since: Spot | None
    lines: list[str]

    @property
    def line(self) -> str:
        return self.text(self.at[0])

    @property
    def rest(self) -> str:
        """The source from the place on, in its line."""
        return self.line[self.at[1] :]

    @property
    def starts_line(self) -> bool:
        return not self.line[: self.at[1]].strip()

    def text(self, number: int) -> str:
        return self.lines[number] if 0 <= number < len(self.lines) else ""


@dataclass(slots=True)
class Finding:
    """A mistake that was recognised."""

    at: Spot
    message: str
    hint: str = ""
    see: tuple[Spot, str] | None = None


def explain(error: yaml.MarkedYAMLError, file: str, text: str) -> Diagnostic:
    """The ``yaml-syntax`` problem for an exception of PyYAML's scanner or parser."""
    complaint = _complaint(error, text)
    for recognise in RECOGNISERS:
        finding = recognise(complaint)
        if finding is not None:
            break
    else:
        finding = _anything(complaint)
    related = ((_place(file, finding.see[0]), finding.see[1]),) if finding.see else ()
    return Diagnostic(_place(file, finding.at), "yaml-syntax", finding.message, finding.hint, related=related)


def _complaint(error: yaml.MarkedYAMLError, text: str) -> Complaint:
    mark: Any = error.problem_mark or error.context_mark
    since: Any = error.context_mark
    return Complaint(
        problem=str(error.problem or ""),
        context=str(error.context or ""),
        at=(mark.line, mark.column) if mark else (0, 0),
        since=(since.line, since.column) if since else None,
        lines=LINE_BREAK.split(text),
    )


def _place(file: str, at: Spot) -> Place:
    return Place(file, at[0] + 1, at[1] + 1)


def quote(text: str) -> str:
    """``text`` as a quoted YAML scalar, in the quotes that need the least change."""
    text = text.strip()
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def expression_hint(line: str, column: int) -> str:
    """The hint for an unquoted ``{{`` or ``${{`` at ``column`` (from 0) of a source line."""
    start = _value_start(line)
    if start == column or (start < column and line[start : start + 1] not in ("{", "[")):
        text = _word(line[start:]).strip()
    else:  # inside a flow list or map only the expression itself can be meant
        match = WHOLE_EXPRESSION.match(line, column)
        text = match.group() if match else line[column:].strip()
    if text.startswith("{{"):
        return f"put quotes round it: {quote('$' + text)} for an expression, {quote(text)} for plain text"
    return f"put quotes round it: {quote(text)}"


def _tab(c: Complaint) -> Finding | None:
    indent = c.line[: len(c.line) - len(c.line.lstrip(" \t"))]
    if "\t" in indent and c.at[1] <= len(indent):
        return Finding((c.at[0], indent.index("\t")), "a tab is used for indentation", "indent with spaces")
    if c.rest.startswith("\t"):
        return Finding(c.at, "a tab stands where YAML needs a space", "replace it with a space")
    return None


def _expression(c: Complaint) -> Finding | None:
    for match in EXPRESSION.finditer(c.line):
        start, end = match.start(), c.line.find("}}", match.end())
        quoted = any(c.line[:start].count(mark) % 2 for mark in "\"'")
        if not quoted and start <= c.at[1] <= max(end + 3, match.end()):
            return Finding((c.at[0], start), f'unquoted "{match.group()}"', expression_hint(c.line, start))
    if c.rest.startswith("%") and c.line[: c.at[1]].endswith("{"):
        start = c.at[1] - 1
        return Finding((c.at[0], start), 'unquoted "{%"', f"put quotes round it: {quote(c.line[start:])}")
    return None


def _value_start(line: str) -> int:
    """The column of the first value in a line such as ``- key: value``."""
    match = KEY.match(line) or re.match(r"\s*(?:- +)*", line)
    return match.end() if match else 0


def _reserved_character(c: Complaint) -> Finding | None:
    comma = "block node" in c.context and c.rest.startswith(",")
    if not c.rest or not (comma or "cannot start any token" in c.problem):
        return None
    return Finding(c.at, f'text cannot begin with "{c.rest[0]}"', f"put quotes round it: {quote(_word(c.rest))}")


def _indicator(c: Complaint) -> Finding | None:
    if c.since is None or not c.context.endswith(("scanning an alias", "scanning an anchor", "a tag", "a directive")):
        return None
    if c.context.endswith("a directive"):
        hint = "put quotes round it if it is a key"
        return Finding(c.since, 'a line that begins with "%" is an instruction to YAML', hint)
    rest = c.text(c.since[0])[c.since[1] :]
    hint = f"put quotes round it: {quote(_word(rest))}"
    return Finding(c.since, f'text that begins with "{rest[:1]}" needs quotes', hint)


def _word(rest: str) -> str:
    """Unquoted text up to a comment."""
    return re.split(r"\s+#", rest, maxsplit=1)[0]


def _open_quote(c: Complaint) -> Finding | None:
    if "quoted scalar" not in c.context or ("end of stream" not in c.problem and "document" not in c.problem):
        return None
    assert c.since is not None
    hint = "add the closing quote, or quote the whole value with the other kind"
    return Finding(c.since, "this quote is never closed", hint)


def _escape(c: Complaint) -> Finding | None:
    if "quoted scalar" not in c.context and "double-quoted" not in c.context:
        return None
    column = c.line.rfind("\\", 0, c.at[1] + 1)
    at = (c.at[0], column) if column >= 0 else c.at
    sequence = c.line[at[1] : at[1] + 2]
    if SURROGATE.match(c.line, at[1]):
        return Finding(at, "half a character (a surrogate)", "write the character itself, or \\U and eight digits")
    return Finding(at, f'"{sequence}" is not an escape sequence', "double the backslash, or use single quotes")


def _open_bracket(c: Complaint) -> Finding | None:
    closing = next((mark for mark in ("]", "}") if f"',' or '{mark}'" in c.problem), None)
    if closing is None or c.since is None:
        return None
    opening = "[" if closing == "]" else "{"
    behind = [c.rest, *c.lines[c.at[0] + 1 :]]
    next_key = c.at[0] > c.since[0] and c.rest.startswith(":")
    if not any(line.strip() for line in behind) or (next_key and not any(closing in line for line in behind)):
        return Finding(c.since, f'"{opening}" is never closed', f'add "{closing}"', (c.at, "noticed here"))
    hint = f'separate items with ","; close with "{closing}"; put quotes round text that contains brackets or commas'
    at = (c.at[0], len(c.line) - len(c.line.lstrip())) if next_key else c.at
    return Finding(at, f'expected "," or "{closing}"', hint, (c.since, f'"{opening}" is here'))


def _colon_in_value(c: Complaint) -> Finding | None:
    if "mapping values are not allowed" not in c.problem:
        return None
    start = _value_start(c.line)
    if start < c.at[1] and not c.line[:start].isspace() and KEY.match(c.line):
        value = _word(c.line[start:])
        return Finding(c.at, 'a value that contains ": " needs quotes', f"put quotes round it: {quote(value)}")
    if finding := _space_missing(c, c.at[0] - 1):
        return finding
    if not c.line[: c.at[1]].lstrip().startswith(("[", "{")):
        at = (c.at[0], len(c.line) - len(c.line.lstrip()))
        above = next((number for number in range(c.at[0] - 1, -1, -1) if c.text(number).strip()), None)
        if at[1] == 0 and above is not None:
            return Finding((above, 0), "this line has no key", NO_KEY_HINT)
        hint = 'give it the indentation of its siblings; text over several lines needs "|" or quotes'
        return Finding(at, "this line is indented deeper than the one it follows", hint)
    return None


def _no_colon(c: Complaint) -> Finding | None:
    if "could not find expected ':'" not in c.problem or c.since is None:
        return None
    if finding := _space_missing(c, c.since[0]):
        return finding
    return Finding(c.since, "this line has no key", NO_KEY_HINT)


def _key_missing(c: Complaint) -> Finding | None:
    elsewhere = c.problem.startswith("mapping values") or "directive" in c.context
    if elsewhere or not re.match(r":(?=[\s,]|$)", c.rest):
        return None
    return Finding(c.at, "a key is missing before the colon", "write a name before the colon")


def _dash_without_space(c: Complaint) -> Finding | None:
    at = c.since if "simple key" in c.context and c.since else c.at
    item = re.match(r"-([^\s-].*)", c.text(at[0])[at[1] :])
    if item is None or c.text(at[0])[: at[1]].strip() or "block mapping" in c.context:
        return None
    return Finding(at, "there is no space after this dash", f'write "- {item.group(1).rstrip()}"')


def _space_missing(c: Complaint, number: int) -> Finding | None:
    line = c.text(number)
    match = KEY_WITHOUT_SPACE.match(line)
    if match is None:
        return None
    key = match.group().strip().removeprefix("- ").strip()
    hint = f'write "{key} {line[match.end() :].rstrip()}"'
    return Finding((number, match.end() - 1), "there is no space after this colon", hint)


def _indentation(c: Complaint) -> Finding | None:
    """A block that goes on where it cannot: a wrong column or a missing dash."""
    if c.since is None or not c.starts_line or not c.context.startswith("while parsing a block"):
        return None
    here, wanted, since = c.at[1], c.since[1], c.since[0] + 1
    see = (c.since, "the block began here")
    if "collection" in c.context or "sequence" in c.context:
        if here == wanted:
            hint = 'begin it with "- ", or indent it with two more spaces to belong to the item above'
            return Finding(c.at, 'expected another list item ("- ")', hint, see)
        hint = f"its items begin at column {wanted + 1}, and this at {here + 1}"
        return Finding(c.at, "wrong indentation in a list", hint, see)
    if c.rest.startswith("- ") and here == wanted:
        hint = 'write the key of the list in the line above, or delete "- "'
        return Finding(c.at, "a list item stands where a key should be", hint, see)
    hint = f"the keys of the map from line {since} begin at column {wanted + 1}, and this at {here + 1}"
    return Finding(c.at, "wrong indentation", hint if here != wanted else "indent it like the lines around it", see)


def _after_value(c: Complaint) -> Finding | None:
    """Something follows a value that is complete, such as ``'it's'``."""
    if c.starts_line or not c.context.startswith("while parsing a block"):
        return None
    before = c.line[: c.at[1]].rstrip()
    if c.rest[:1] in ("]", "}"):
        return Finding(c.at, f'"{c.rest[0]}" closes nothing', "delete it, or put quotes round the whole value")
    if before.endswith("'"):
        return Finding(c.at, "the quoted text ends before this", "write a quote inside single quotes twice: 'it''s'")
    if before.endswith('"'):
        hint = 'write a quote inside double quotes as \\", or put single quotes round the whole value'
        return Finding(c.at, "the quoted text ends before this", hint)
    return Finding(c.at, "the value ends before this", "put quotes round the whole value")


def _block_text(c: Complaint) -> Finding | None:
    if "scanning a block scalar" not in c.context or c.since is None:
        return None
    mark = c.text(c.since[0])[c.since[1] : c.since[1] + 1]
    hint = f'put the text on the lines below, indented; or put quotes round a value that begins with "{mark}"'
    return Finding(c.at, f'nothing but a comment may follow "{mark}"', hint)


PLAIN_WORDS: Final = (
    ("expected <document start>", "text after the end of the document", "delete it or indent it"),
    ("<document start>", "text after the end of the document", "delete it or indent it"),
    ("unexpected ':'", "text with a colon needs quotes inside brackets", "put quotes round it"),
    ("incompatible", "the file asks for another YAML version", "delete the line that begins with %YAML"),
    ("undefined tag handle", "unknown tag", 'delete it; if it is text that begins with "!", put quotes round it'),
    ("expected node content", "a value is missing here", "put quotes round it if it is text"),
    ("expected the node content", "a value is missing here", "put quotes round it if it is text"),
    ("mapping keys are not allowed", 'text that begins with "? " needs quotes', "put quotes round it"),
    ("mapping values are not allowed", "a colon is not expected here", "put quotes round the value if it is text"),
    ("sequence entries are not", 'a list item ("- ") is not expected here', "begin the list on its own line"),
)


def _anything(c: Complaint) -> Finding:
    if "flow node" in c.context and not any(line.strip() for line in [c.rest, *c.lines[c.at[0] + 1 :]]):
        return Finding(c.at, "the file ends inside brackets", "close each [ and {")
    for theirs, ours, hint in PLAIN_WORDS:
        if theirs in c.problem:
            return Finding(c.at, ours, hint)
    where = f" ({c.context})" if c.context else ""
    return Finding(c.at, f"not YAML: {c.problem[:1].lower()}{c.problem[1:]}{where}")


RECOGNISERS: Final[tuple[Callable[[Complaint], Finding | None], ...]] = (
    _tab,
    _open_quote,
    _escape,
    _expression,
    _reserved_character,
    _indicator,
    _open_bracket,
    _colon_in_value,
    _dash_without_space,
    _no_colon,
    _key_missing,
    _indentation,
    _after_value,
    _block_text,
)
