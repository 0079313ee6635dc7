"""What the account can choose from: languages, voices, avatars. All of it is data in JSON files beside this module."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Language:
    """A target language: HeyGen's name for it, its BCP-47 code and the espeak voice that speaks it."""

    name: str
    code: str
    voice: str

    @property
    def sentence(self) -> str:
        """What is spoken instead of a translation, in this language."""
        return str(_data("data/sentences.json")[self.voice])


@dataclass(frozen=True)
class Voice:
    """A stock voice; ``timbre`` is the espeak variant that makes it differ from the others."""

    id: str
    name: str
    gender: str
    language: str
    timbre: str

    def speaking(self, espeak_voice: str) -> str:
        """The espeak name of this voice in a language."""
        return f"{espeak_voice}+{self.timbre}"


@dataclass(frozen=True)
class Avatar:
    """A stock avatar: a drawn sign on a ground of ``colour``, with the id of its default ``voice``."""

    id: str
    name: str
    colour: str
    voice: str


@cache
def languages() -> dict[str, Language]:
    """Languages by HeyGen's name (an Azure Speech locale display name, or a bare language)."""
    return {name: Language(name, **entry) for name, entry in _data("languages.json").items()}


@cache
def voices() -> dict[str, Voice]:
    """Stock voices by id; every one speaks every language."""
    return {name: Voice(name, **entry) for name, entry in _data("data/voices.json").items()}


@cache
def avatars() -> dict[str, Avatar]:
    """Stock avatars by id."""
    return {name: Avatar(name, **entry) for name, entry in _data("data/avatars.json").items()}


def language_of(code: str) -> Language | None:
    """The language of a BCP-47 code such as ``pt-BR`` or ``pt``; the bare language if the region is unknown."""
    wanted = code.lower()
    known = {language.code.lower(): language for language in languages().values()}
    bare = wanted.split("-")[0]
    related = (language for key, language in known.items() if key.split("-")[0] == bare)
    return known.get(wanted) or known.get(bare) or next(related, None)


def _data(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))
    return parsed
