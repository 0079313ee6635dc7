"""Properties of expressions: plain text stays, data is never evaluated, and nothing but the expected errors escapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.values import Deferred
from callsheet.expressions import ExpressionError, Expressions, UpstreamSkipped, is_template
from callsheet.sandbox import slugify

if TYPE_CHECKING:
    from collections.abc import Callable

EXPRESSIONS = Expressions()
#: Pieces that mean something to Jinja, and a few that do not.
pieces = st.sampled_from(
    [
        "${{",
        "}}",
        "{{",
        "$${{",
        "{%",
        "%}",
        "${#",
        "#}",
        "a",
        "row",
        ".name",
        "|",
        "upper",
        "if",
        "for",
        "x",
        "in",
        "endfor",
        "endif",
        "else",
        "set",
        "y",
        "=",
        "'",
        '"',
        "(",
        ")",
        "[",
        "]",
        "1",
        "+",
        "*",
        "-",
        "~",
        ",",
        "==",
        "not",
        " ",
        "\n",
    ]
)
texts = st.lists(pieces, max_size=12).map("".join) | st.text(max_size=20)
NAMES: dict[str, Any] = {"a": 1, "row": {"name": "Ada"}, "x": [1]}


def attempt(work: Callable[[], Any]) -> Any:
    """What it gives, or the error that it may raise; anything else goes on to the test."""
    try:
        return work()
    except (ExpressionError, UpstreamSkipped) as problem:
        return problem


@given(texts)
def test_any_text_compiles_or_says_why_not(text: str) -> None:
    found = attempt(lambda: EXPRESSIONS.compile(text))
    if isinstance(found, ExpressionError):
        assert found.message
        assert 0 <= found.line <= text.count("\n")
        assert found.column >= 0
        return
    for reference in found.references:
        assert 0 <= reference.line <= text.count("\n")
        assert 0 <= reference.column <= len(text)
    rendered = attempt(lambda: found.render(NAMES))
    assert not isinstance(rendered, Exception) or str(rendered)


# Jinja turns every line break into "\n"; in a job, text without expressions is not given to it at all.
@given(texts.filter(lambda text: not is_template(text) and "${#" not in text and "\r" not in text))
def test_text_without_expressions_stays_as_it_is(text: str) -> None:
    assert EXPRESSIONS.compile(text).render({}) == text


@given(st.text(max_size=30) | texts)
def test_data_is_never_evaluated(data: str) -> None:
    assert EXPRESSIONS.compile("${{ a }}").render({"a": data}) == data
    assert EXPRESSIONS.compile("<${{ a }}>").render({"a": data}) == f"<{data}>"
    assert EXPRESSIONS.compile("<${{ a.b }}{% if true %}.{% endif %}>").render({"a": {"b": data}}) == f"<{data}.>"


@given(texts)
def test_a_value_that_waits_is_never_guessed(text: str) -> None:
    """With the only name waiting, a text either does not need it or waits as a whole."""
    found = attempt(lambda: EXPRESSIONS.compile(f"${{{{ a }}}}{text}").render({"a": Deferred("a")}))
    assert isinstance(found, Deferred | ExpressionError | UpstreamSkipped)


@given(st.text(max_size=30))
def test_slugs(text: str) -> None:
    slug = slugify(text)
    assert slugify(slug) == slug
    assert not set(slug) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not slug.startswith("-")
    assert not slug.endswith("-")
