"""Development tool: make ``languages.json`` from HeyGen's list of target languages.

    python -m callsheet_heygen.refresh_languages NAMES 2026-11-20 "where the list is from"

``NAMES`` is a file: the reply of ``GET /v3/video-translations/languages`` as JSON, or one name per line. Nothing in
callsheet imports this module; it needs the packages langcodes and language_data, which callsheet does not depend on.

HeyGen names languages as Azure Speech does: "Language (Script, Territory)" in the words of CLDR. A name becomes the tag
of its parts; the few names that are worded otherwise stand in `SPECIAL`. Names that are no language are left out.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

#: Names that the parts do not give: Azure's own tags for Chinese, and three of HeyGen's wordings.
SPECIAL = {
    "Chinese": "zh",
    "Mandarin": "cmn",
    "Chinese (Mandarin, Simplified)": "zh-CN",
    "Chinese (Cantonese, Traditional)": "zh-HK",
    "Chinese (Taiwanese Mandarin, Traditional)": "zh-TW",
    "Chinese (Wu, Simplified)": "wuu-CN",
    "Chinese (Jilu Mandarin, Simplified)": "zh-CN-shandong",
    "Chinese (Northeastern Mandarin, Simplified)": "zh-CN-liaoning",
    "Chinese (Southwestern Mandarin, Simplified)": "zh-CN-sichuan",
    "Chinese (Zhongyuan Mandarin Henan, Simplified)": "zh-CN-henan",
    "Chinese (Zhongyuan Mandarin Shaanxi, Simplified)": "zh-CN-shaanxi",
    "English (Hong Kong SAR)": "en-HK",
    "English (UK)": "en-GB",
    "Korean (Korea)": "ko-KR",
}

#: Offered in HeyGen's list, but not languages: an accent is asked for with `options.output_language`.
NOT_LANGUAGES = {
    "audio",
    "American English",
    "Custom Accent English",
    "English - American Accent",
    "English - Your Accent",
}

#: Tags that mean the same as one in the table without CLDR saying so: Cantonese as its own language.
ALSO = {"yue": "zh-HK", "yue-HK": "zh-HK", "yue-Hant-HK": "zh-HK"}

_NAME = re.compile(r"(?P<language>[^(]+?)(?: \((?P<details>.+)\))?")


def read(file: Path) -> list[str]:
    """HeyGen's names, in its order."""
    text = file.read_text("utf-8")
    if text.lstrip().startswith("{"):
        names: list[str] = json.loads(text)["data"]["languages"]
        return names
    return [line.strip() for line in text.splitlines() if line.strip()]


def tag(name: str, langcodes: Any) -> str:
    """The tag of a name. A LookupError names one that cannot be read; then it belongs into `SPECIAL`."""
    if name in SPECIAL:
        return SPECIAL[name]
    found = _NAME.fullmatch(name)
    if found is None:
        raise LookupError(name)
    parts = langcodes.Language.get(langcodes.find(found["language"]).language).to_dict()
    for detail in (found["details"] or "").split(", "):
        if detail in {"Latin", "Cyrillic"}:
            parts["script"] = {"Latin": "Latn", "Cyrillic": "Cyrl"}[detail]
        elif detail:
            parts["territory"] = _territory(detail, langcodes)
    return str(langcodes.standardize_tag(langcodes.Language.make(**parts).to_tag()))


def _territory(name: str, langcodes: Any) -> str:
    for code in (f"{a}{b}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        territory = langcodes.Language.make(territory=code)
        spoken = str(territory.territory_name()).replace("&", "and")
        if name in {spoken, _SHORT.get(code)} and langcodes.standardize_tag(f"und-{code}") == f"und-{code}":
            return code
    raise LookupError(name)


#: Where Azure's word for a country is not that of CLDR.
_SHORT = {"MM": "Myanmar", "TR": "Türkiye", "CZ": "Czechia"}


def same(tags: dict[str, str], langcodes: Any) -> dict[str, str]:
    """Other spellings that CLDR's likely subtags make equal to a tag of the table, and that the table does not have.

    A language alone (``nb``) counts only where HeyGen offers one variant of it: nobody chooses for the user.
    """
    variants: dict[str, int] = {}
    for known in tags:
        variants[known.split("-")[0]] = variants.get(known.split("-")[0], 0) + 1
    also: dict[str, str] = {}
    for known in tags:
        if known.count("-") > 1 and not known.split("-")[1].istitle():
            continue  # a dialect of Azure's, outside CLDR
        full = langcodes.get(known).maximize()
        parts = (full.language, full.script, full.territory)
        forms = {"-".join(parts), f"{parts[0]}-{parts[2]}", f"{parts[0]}-{parts[1]}"}
        if variants[parts[0]] == 1:
            forms.add(parts[0])
        if "-" not in known:
            forms = set() if variants[parts[0]] > 1 else forms
        for form in forms - tags.keys():
            if langcodes.get(form).maximize() == full and (form.count("-") != 1 or _is_useful(form, parts[0])):
                also[form] = known
    return also


def _is_useful(form: str, language: str) -> bool:
    script_alone = len(form.split("-")[1]) == 4
    return not script_alone or language in {"zh", "sr", "uz", "az"}


def main(arguments: list[str]) -> None:
    """Write the table beside this module and say which names were left out."""
    source, as_of, origin = arguments
    langcodes = importlib.import_module("langcodes")
    names = [name for name in dict.fromkeys(read(Path(source))) if name not in NOT_LANGUAGES]
    tags = {tag(name, langcodes): name for name in names}
    if len(tags) != len(names):
        raise SystemExit(f"two names share one tag: {sorted(set(names) - set(tags.values()))}")
    table = {
        "as_of": as_of,
        "source": origin,
        "names": dict(sorted(tags.items())),
        "same": dict(sorted({**same(tags, langcodes), **ALSO}.items())),
    }
    target = Path(__file__).with_name("languages.json")
    target.write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{len(tags)} names, {len(table['same'])} other spellings, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
