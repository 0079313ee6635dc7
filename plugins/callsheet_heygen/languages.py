"""HeyGen's names of languages: exact matches only, because a near language is a wrong dub."""

from __future__ import annotations

import json
from functools import cached_property
from importlib.resources import files
from typing import Any

#: Tags that BCP 47 has replaced, and Norwegian, which is written as Bokmål unless it says otherwise.
RENAMED = {"in": "id", "iw": "he", "ji": "yi", "mo": "ro", "no": "nb", "tl": "fil"}


def canonical(tag: str) -> str:
    """The usual spelling of a tag: ``NO`` gives ``nb``, ``es_es`` gives ``es-ES``."""
    language, *rest = tag.strip().replace("_", "-").split("-")
    language = RENAMED.get(language.lower(), language.lower())
    return "-".join([language, *(_spelled(part) for part in rest)])


def _spelled(part: str) -> str:
    if len(part) == 2:
        return part.upper()
    return part.title() if len(part) == 4 and part.isalpha() else part.lower()


class Languages:
    """The table of ``languages.json``, made by `refresh_languages`: a lookup for the entry of ``translate``."""

    @cached_property
    def _table(self) -> dict[str, Any]:
        table: dict[str, Any] = json.loads(files(__package__).joinpath("languages.json").read_text("utf-8"))
        return table

    @property
    def names(self) -> dict[str, str]:
        """HeyGen's name by BCP-47 tag."""
        names: dict[str, str] = self._table["names"]
        return names

    def find(self, word: str) -> str | None:
        """HeyGen's name of a tag, or of another spelling of the same tag; None when it has none."""
        tag = canonical(word)
        return self.names.get(self._table["same"].get(tag, tag))

    def explain(self, word: str) -> tuple[str, str]:
        """Why a tag has no name, and which tags of the same language have one."""
        language = canonical(word).partition("-")[0]
        near = [tag for tag in self.names if tag.partition("-")[0] == language]
        listed = ", ".join(near[:12]) + (", …" if len(near) > 12 else "")
        hint = (
            f"HeyGen offers: {listed}" if near else "options.output_language sends one of HeyGen's own names as it is"
        )
        return f'HeyGen has no language "{word}"', hint


LANGUAGES = Languages()
