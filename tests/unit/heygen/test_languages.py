from __future__ import annotations

from importlib.resources import files

import pytest

from callsheet.languages import canonical_tag
from callsheet_heygen.languages import LANGUAGES, canonical


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("es-ES", "Spanish (Spain)"),
        ("ES_es", "Spanish (Spain)"),
        ("es", "Spanish"),
        ("pt", "Portuguese"),
        ("pt-BR", "Portuguese (Brazil)"),
        ("zh", "Chinese"),
        ("cmn", "Mandarin"),
        ("ar", "Arabic"),
        ("en", "English"),
        ("en-GB", "English (UK)"),
        ("en-HK", "English (Hong Kong SAR)"),
        # Replaced tags, and Norwegian.
        ("iw", "Hebrew (Israel)"),
        ("iw-IL", "Hebrew (Israel)"),
        ("in-ID", "Indonesian (Indonesia)"),
        ("tl", "Filipino"),
        ("tl-PH", "Filipino (Philippines)"),
        ("no", "Norwegian Bokmål (Norway)"),
        ("nb-NO", "Norwegian Bokmål (Norway)"),
        # Azure's own tags.
        ("zh-CN", "Chinese (Mandarin, Simplified)"),
        ("zh-Hans-CN", "Chinese (Mandarin, Simplified)"),
        ("zh-hant-tw", "Chinese (Taiwanese Mandarin, Traditional)"),
        ("zh-HK", "Chinese (Cantonese, Traditional)"),
        ("yue", "Chinese (Cantonese, Traditional)"),
        ("wuu-CN", "Chinese (Wu, Simplified)"),
        ("zh-CN-shandong", "Chinese (Jilu Mandarin, Simplified)"),
        ("zh-CN-liaoning", "Chinese (Northeastern Mandarin, Simplified)"),
        ("zh-CN-sichuan", "Chinese (Southwestern Mandarin, Simplified)"),
        ("zh-CN-henan", "Chinese (Zhongyuan Mandarin Henan, Simplified)"),
        ("zh-CN-shaanxi", "Chinese (Zhongyuan Mandarin Shaanxi, Simplified)"),
        ("ko-KR", "Korean (Korea)"),
        # The same by CLDR's likely subtags.
        ("uz-UZ", "Uzbek (Latin, Uzbekistan)"),
        ("sr-Latn-RS", "Serbian (Latin, Serbia)"),
        ("tr-TR", "Turkish (Türkiye)"),
        ("my", "Burmese (Myanmar)"),
    ],
)
def test_exact_names(tag, name):
    assert LANGUAGES.find(tag) == name


@pytest.mark.parametrize(
    ("tag", "offered"),
    [
        ("sr", "sr-Latn-RS"),  # Cyrillic, unless it says otherwise
        ("fr-LU", "fr, fr-BE, fr-CA, fr-CH, fr-FR"),
        ("de-LI", "de, de-AT, de-CH, de-DE"),
        ("bn", "bn-BD, bn-IN"),
        ("ur", "ur-IN, ur-PK"),
        ("sw", "sw-KE, sw-TZ"),
        ("zh-MO", "zh, zh-CN, zh-CN-henan"),
        ("es-419", "es, es-AR"),
    ],
)
def test_near_is_not_good_enough(tag, offered):
    assert LANGUAGES.find(tag) is None
    message, hint = LANGUAGES.explain(tag)
    assert message == f'HeyGen has no language "{tag}"'
    assert hint.startswith(f"HeyGen offers: {offered}")


def test_a_language_without_any_relative_names_the_way_out():
    assert LANGUAGES.find("eo") is None
    assert "options.output_language" in LANGUAGES.explain("eo")[1]


def test_the_table_is_sound():
    assert len(LANGUAGES.names) >= 175
    assert len(set(LANGUAGES.names.values())) == len(LANGUAGES.names)
    for tag in LANGUAGES.names:
        assert canonical(tag) == tag
        assert canonical_tag(tag) == tag
        assert LANGUAGES.find(tag) == LANGUAGES.names[tag]


def test_the_table_is_small():
    assert len((files("callsheet_heygen") / "languages.json").read_bytes()) <= 20_000
