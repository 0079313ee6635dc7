"""What unquoted YAML text means: the YAML 1.2 core schema without its traps.

Typed are ``null``/``~``/nothing, ``true``/``false`` in their core spellings, decimal integers and floats. Everything
else stays text. Narrower than the core schema on purpose: a leading zero or plus (``007``, ``+4917612345``) and other
bases (``0o755``, ``0x1F``) stay text, because in a job they are part numbers, phone numbers and file modes, and
turning them into numbers would lose characters that nobody can bring back.
"""

from __future__ import annotations

import re
from math import isinf
from typing import Final

WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
SPECIAL_FLOATS: Final[dict[str, float]] = {
    sign + word: float(sign + "inf") for sign in ("", "-", "+") for word in (".inf", ".Inf", ".INF")
} | {word: float("nan") for word in (".nan", ".NaN", ".NAN")}

# 4000 digits: Python refuses to convert more than 4300 in one go, and such a number stays text instead.
INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,3999})\Z")
FLOAT: Final = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")

NUMBER_STARTS: Final = frozenset("-+.0123456789")
WORD_STARTS: Final = frozenset(["", "~", "n", "N", "t", "T", "f", "F"])
TYPED_STARTS: Final = NUMBER_STARTS | WORD_STARTS

Scalar = str | int | float | bool | None

TAG_PREFIX: Final = "tag:yaml.org,2002:"
TAGGED_TYPES: Final[dict[str, type]] = {
    TAG_PREFIX + "null": type(None),
    TAG_PREFIX + "bool": bool,
    TAG_PREFIX + "int": int,
    TAG_PREFIX + "float": float,
}
TEXT_TAGS: Final = frozenset(["!", TAG_PREFIX + "str"])


def plain_value(text: str) -> Scalar:
    """The value of an unquoted scalar."""
    start = text[:1]
    if start in NUMBER_STARTS:
        return _number(text)
    if start in WORD_STARTS:
        return WORDS.get(text, text)
    return text


def _number(text: str) -> Scalar:
    if INTEGER.match(text):
        return int(text)
    if FLOAT.match(text):
        number = float(text)
        return text if isinf(number) else number  # 7e999 is somebody's id, not infinity
    return SPECIAL_FLOATS.get(text, text)


def tagged_value(tag: str, text: str) -> Scalar:
    """The value of a scalar with an explicit standard tag, quoted or not.

    :raises KeyError: the tag is not one of the standard ones
    :raises ValueError: the text is not a value of that type
    """
    if tag in TEXT_TAGS:
        return text
    wanted = TAGGED_TYPES[tag]
    value = plain_value(text)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise ValueError(text)
    return value
