"""Expressions: what a value becomes, what is refused and with which words, and what waits for a run."""

from __future__ import annotations

from typing import Any

import pytest

from callsheet.core.values import Deferred, Media, PlannedMedia
from callsheet.expressions import ExpressionError, Expressions, UpstreamSkipped, is_template
from callsheet.sandbox import SkippedOutputs

VIDEO = Media("video", path="/job/media/launch.mp4", sha256="ab" * 32, duration=2.5)
WAITS = Deferred("steps.speak.outputs.text")
NAMES: dict[str, Any] = {
    "row": {"name": "Ada", "days": "14", "items": "a|b", "empty": "", "evil": "${{ env.KEY }}{% for x in y %}"},
    "lang": "es-ES",
    "inputs": {"video": VIDEO, "n": 3, "flag": True, "none": None, "list": [1, "x"], "map": {"a": 1}, "wait": WAITS},
    "vars": {"voice": {"es-ES": "clara"}},
    "steps": {"clip": {"outputs": {"video": PlannedMedia("video", origin="k/video"), "text": WAITS}}},
}


def value(text: str, names: dict[str, Any] = NAMES) -> Any:
    return Expressions().compile(text).render(names)


def problem(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        value(text)
    return caught.value


class TestOneExpressionKeepsItsType:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("${{ inputs.n }}", 3),
            ("${{inputs.n}}", 3),
            ("${{ inputs.n + 1 }}", 4),
            ("${{ inputs.n / 2 }}", 1.5),
            ("${{ inputs.flag }}", True),
            ("${{ inputs.none }}", None),
            ("${{ inputs.list }}", [1, "x"]),
            ("${{ inputs.map }}", {"a": 1}),
            ("${{ inputs.video }}", VIDEO),
            ("${{ [1, 2] }}", [1, 2]),
            ("${{ {'a': [lang]} }}", {"a": ["es-ES"]}),
            ("${{ row.days | int }}", 14),
            ("${{ row.items.split('|') }}", ["a", "b"]),
            ("${{ 'yes' if inputs.flag else 'no' }}", "yes"),
            ("${{ inputs.none is none }}", True),
            ("${{ vars.voice[lang] }}", "clara"),
            ("${{ vars['voice']['es-ES'] }}", "clara"),
            ("${{ row.missing | default('x') }}", "x"),
            ("${{ row.empty | default('x', true) }}", "x"),
            ("${{ row.missing is defined }}", False),
            ("${{ (row.missing | default({})).a | default(1) }}", 1),
            ("${{ inputs.video.duration * 2 }}", 5.0),
            ("${{ inputs.video['sha256'] }}", "ab" * 32),
        ],
    )
    def test_value(self, text: str, expected: Any) -> None:
        found = value(text)
        assert found == expected
        assert type(found) is type(expected)

    def test_a_name_called_result_is_no_trap(self) -> None:
        assert value("${{ result + 1 }}", {"result": 1}) == 2

    def test_a_lazy_filter_gives_a_list(self) -> None:
        # Jinja's map, select and reject give generators, which are no values of a job.
        assert value("${{ ['a', 'b'] | map('upper') }}") == ["A", "B"]
        assert value("${{ [1, 2, 3] | select('odd') }}") == [1, 3]

    def test_typed_or_not(self) -> None:
        compile_ = Expressions().compile
        assert compile_("${{ row.name }}").typed
        assert not compile_(" ${{ row.name }}").typed
        assert not compile_("${{ row.name }}${{ lang }}").typed
        assert not compile_("plain").typed


class TestMixedText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Hello ${{ row.name }}!", "Hello Ada!"),
            ("${{ inputs.n }}${{ inputs.n }}", "33"),
            ("in ${{ row.days | int + 1 }} days", "in 15 days"),
            ("a\n${{ lang }}\n", "a\nes-ES\n"),
            ("${{ inputs.n / 2 }} s", "1.5 s"),
            ("{% if inputs.flag %}yes{% else %}no{% endif %}", "yes"),
            ("{% for x in inputs.list %}${{ loop.index }}${{ x }} {% endfor %}", "11 2x "),
            ("{% set who = row.name %}Hi ${{ who }}", "Hi Ada"),
            ("{% set who %}${{ row.name }}!{% endset %}Hi ${{ who }}", "Hi Ada!"),
            ("{{ first_name }} and ${{ row.name }}", "{{ first_name }} and Ada"),
            ("{# kept #} ${{ lang }}", "{# kept #} es-ES"),
            ("100% {sure} ${{ lang }}", "100% {sure} es-ES"),
            ("# not a comment ${{ lang }}", "# not a comment es-ES"),
        ],
    )
    def test_value(self, text: str, expected: str) -> None:
        assert value(text) == expected

    @pytest.mark.parametrize(
        ("text", "message", "hint"),
        [
            ("x ${{ inputs.none }}", "null cannot stand in text", "default"),
            ("x ${{ inputs.flag }}", "true or false cannot stand in text", "'yes' if"),
            ("x ${{ inputs.list }}", "a list cannot stand in text", "tojson"),
            ("x ${{ inputs.map }}", "a map cannot stand in text", "tojson"),
            ("x ${{ inputs.video }}", "a video cannot stand in text", ".url"),
            ("x ${{ inputs.n == 3 }}", "true or false cannot stand in text", "'yes' if"),
            ("{% if true %}${{ inputs.list }}{% endif %}", "a list cannot stand in text", "tojson"),
        ],
    )
    def test_only_text_and_numbers(self, text: str, message: str, hint: str) -> None:
        found = problem(text)
        assert message in found.message
        assert hint in found.hint

    def test_the_fixes_work(self) -> None:
        assert value("x ${{ inputs.list | tojson }}") == 'x [1, "x"]'
        assert value("x ${{ inputs.video.path | basename }}") == "x launch.mp4"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("$${{", "${{"),
            ("$${{ row.name }}", "${{ row.name }}"),
            ("a $${{ b }} ${{ lang }}", "a ${{ b }} es-ES"),
            ("costs $5 ${{ lang }}", "costs $5 es-ES"),
            ("$$5 ${{ lang }}", "$$5 es-ES"),
        ],
    )
    def test_a_literal_dollar(self, text: str, expected: str) -> None:
        assert value(text) == expected

    def test_data_is_never_evaluated(self) -> None:
        assert value("${{ row.evil }}") == NAMES["row"]["evil"]
        assert value("say ${{ row.evil }}") == f"say {NAMES['row']['evil']}"

    def test_a_very_long_text_is_refused(self) -> None:
        with pytest.raises(ExpressionError, match="at most 1000000 are allowed"):
            value("{% for i in range(20) %}" + "a" * 60_000 + "{% endfor %}")


class TestUndefined:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("${{ row.nmae }}", 'there is no "nmae" (did you mean "name"?'),
            ("${{ rwo }}", '"rwo" is not defined'),
            ("x ${{ row.nmae }}", 'there is no "nmae"'),
            ("${{ row.nmae.x }}", 'there is no "nmae"'),
            ("${{ vars.voice['xx'] }}", 'there is no "xx"'),
            ("${{ inputs.video.codec }}", 'media have no "codec" (they have asset, bytes, duration'),
            ("${{ inputs.n.x }}", 'int has no "x"'),
            ("${{ inputs.none.x }}", 'null has no "x"'),
            ("${{ row.nmae | upper }}", 'there is no "nmae"'),
            ("${{ [row.nmae] | first }}", 'there is no "nmae"'),
            ("${{ 'x' if row.nmae else 'y' }}", 'there is no "nmae"'),
        ],
    )
    def test_it_says_what_is_there(self, text: str, message: str) -> None:
        found = problem(text)
        assert message in found.message
        assert "`" in found.message  # the expression itself is in the message

    def test_it_does_not_hide_in_a_list(self) -> None:
        problem("${{ [row.nmae] }}")

    def test_media_without_a_lasting_url(self) -> None:
        found = problem("${{ inputs.video.url }}")
        assert "no lasting URL" in found.message
        assert found.hint


class TestMaps:
    def test_keys_come_before_methods(self) -> None:
        assert value("${{ row.items }}") == "a|b"
        assert value("x ${{ row.items }}") == "x a|b"
        assert value("${{ r.get }}", {"r": {"get": 1, "keys": 2}}) == 1

    def test_methods_are_there_when_no_key_is(self) -> None:
        assert value("${{ inputs.map.get('b', 2) }}") == 2
        assert value("{% for k, v in inputs.map.items() %}${{ k }}=${{ v }}{% endfor %}") == "a=1"


class TestDeferred:
    @pytest.mark.parametrize(
        "text",
        [
            "${{ inputs.wait }}",
            "${{ steps.clip.outputs.text }}",
            "say ${{ inputs.wait }}",
            "${{ inputs.wait | upper }}",
            "${{ inputs.wait | default('x') }}",
            "${{ inputs.wait is defined }}",
            "${{ inputs.wait is none }}",
            "${{ inputs.wait is string }}",
            "${{ inputs.wait is mapping }}",
            "${{ inputs.wait == 'x' }}",
            "${{ 'x' == inputs.wait }}",
            "${{ inputs.wait + 'x' }}",
            "${{ 'x' ~ inputs.wait }}",
            "${{ inputs.wait * 2 }}",
            "${{ -inputs.wait }}",
            "${{ not inputs.wait }}",
            "${{ inputs.wait and true }}",
            "${{ 'a' if inputs.wait else 'b' }}",
            "${{ inputs.wait.name }}",
            "${{ inputs.wait['name'] }}",
            "${{ inputs.wait.split(',') }}",
            "${{ vars.voice[inputs.wait] }}",
            "${{ vars.voice.get(inputs.wait) }}",
            "${{ 'x' in inputs.wait }}",
            "${{ inputs.wait in ['x'] }}",
            "${{ inputs.wait in vars.voice }}",
            "${{ 'abc'.startswith(inputs.wait) }}",
            "${{ 'abc' | replace('a', inputs.wait) }}",
            "${{ [inputs.wait] | join(',') }}",
            "${{ {'a': inputs.wait} | tojson }}",
            "${{ [inputs.wait, 1] | sort }}",
            "${{ ','.join([inputs.wait]) }}",
            "${{ '%s' % inputs.wait }}",
            "${{ range(inputs.wait) }}",
            "${{ inputs.wait | slugify }}",
            "${{ inputs.wait | basename }}",
            "${{ inputs.wait | stem }}",
            "${{ inputs.wait | sha256 }}",
            "${{ inputs.wait | fromjson }}",
            "${{ inputs.wait | language_name }}",
            "{% for x in inputs.wait %}${{ x }}{% endfor %}",
            "{% if inputs.wait %}x{% endif %}",
            "{% set x = inputs.wait %}${{ x }}",
            "${{ steps.clip.outputs.video.duration }}",
            "${{ steps.clip.outputs.video.url }}",
            "${{ steps.clip.outputs.video.path | basename }}",
            "${{ steps.clip.outputs.video | sha256 }}",
        ],
    )
    def test_every_use_waits_for_the_run(self, text: str) -> None:
        assert isinstance(value(text), Deferred)

    def test_it_names_what_it_waits_for(self) -> None:
        assert value("say ${{ inputs.wait }}").what == "steps.speak.outputs.text"

    def test_it_passes_through_lists_and_maps(self) -> None:
        assert value("${{ [inputs.wait] }}")[0] is WAITS
        assert value("${{ {'a': inputs.wait} }}")["a"] is WAITS

    def test_what_is_known_is_not_held_up(self) -> None:
        assert value("${{ 'x' if inputs.flag else inputs.wait }}") == "x"
        assert value("${{ inputs.flag or inputs.wait }}") is True
        assert value("${{ steps.clip.outputs.video.kind }}") == "video"


class TestSkipped:
    NAMES = {"steps": {"clip": {"outputs": SkippedOutputs("clip[row=1]")}}}

    @pytest.mark.parametrize(
        "text",
        [
            "${{ steps.clip.outputs.video }}",
            "x ${{ steps.clip.outputs.video }}",
            "${{ steps.clip.outputs.video | upper }}",
            "${{ steps.clip.outputs.video.duration }}",
            "${{ steps.clip.outputs }}",
        ],
    )
    def test_reading_them_skips_the_reader(self, text: str) -> None:
        with pytest.raises(UpstreamSkipped, match="was skipped"):
            value(text, self.NAMES)

    def test_default_and_defined_work(self) -> None:
        assert value("${{ steps.clip.outputs.video | default('none') }}", self.NAMES) == "none"
        assert value("${{ steps.clip.outputs.video is defined }}", self.NAMES) is False
        assert value("x ${{ steps.clip.outputs.video | default('none') }}", self.NAMES) == "x none"


class TestConditions:
    def holds(self, text: str) -> Any:
        return Expressions().condition(text).render(NAMES)

    @pytest.mark.parametrize(
        "text", ["inputs.n == 3", "${{ inputs.n == 3 }}", "  inputs.flag  ", "lang in ['es-ES']", "true", "not false"]
    )
    def test_with_or_without_braces(self, text: str) -> None:
        assert self.holds(text) is True

    @pytest.mark.parametrize(
        ("text", "what"),
        [("lang", "text"), ("inputs.n", "a number"), ("inputs.none", "null"), ("inputs.list", "a list"),
         ("inputs.map", "a map"), ("inputs.video", "media (video)"), ("${{ lang }}", "text")],
    )  # fmt: skip
    def test_anything_but_a_boolean_is_an_error(self, text: str, what: str) -> None:
        with pytest.raises(ExpressionError) as caught:
            self.holds(text)
        assert f"the result is {what}, not true or false" in caught.value.message
        assert caught.value.hint

    def test_text_is_no_condition(self) -> None:
        with pytest.raises(ExpressionError, match="is text, not one expression"):
            self.holds("${{ lang }} == 'x'")

    def test_it_may_wait(self) -> None:
        assert isinstance(self.holds("inputs.wait == 'x'"), Deferred)


class TestSyntax:
    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            ("${{ row. }}", 0, 0),
            ("a\nb ${{ row.name", 1, 2),
            ("${{ 1 + }}", 0, 0),
            ("${{ x | nosuchfilter }}", 0, 0),
            ("{% if x %}", 0, 0),
            ("{% nosuchtag %}", 0, 0),
            ("a\n{% endfor %}", 1, 0),
            ("${{ }}", 0, 0),
        ],
    )
    def test_it_has_a_place_and_a_code(self, text: str, line: int, column: int) -> None:
        found = problem(text)
        assert (found.line, found.column, found.code) == (line, column, "expression-syntax")
        assert found.message

    def test_an_unknown_filter_says_so(self) -> None:
        found = problem("${{ x | nosuch }}")
        assert "no filter named 'nosuch'" in found.message
        assert "pure filters" in found.hint

    @pytest.mark.parametrize(
        "text",
        [
            "{% macro m() %}x{% endmacro %}",
            "{% include 'x' %}",
            "{% import 'x' as y %}",
            "{% extends 'x' %}",
            "{% block b %}{% endblock %}",
            "{% filter upper %}x{% endfilter %}",
            "{% call x() %}{% endcall %}",
            "{% with a = 1 %}{% endwith %}",
            "{% autoescape true %}x{% endautoescape %}",
        ],
    )
    def test_other_blocks_are_refused(self, text: str) -> None:
        found = problem(text)
        assert found.code == "expression-syntax"
        assert "{% if %}, {% for %} and {% set %}" in found.hint


class TestFilters:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("${{ 'es-ES' | language_name }}", "Spanish (Spain)"),
            ("${{ 'de' | language_name }}", "German"),
            ("${{ 'Señor Núñez!' | slugify }}", "senor-nunez"),
            ("${{ '' | slugify }}", ""),
            ("${{ 'media/launch.final.mp4' | basename }}", "launch.final.mp4"),
            ("${{ 'media/launch.final.mp4' | stem }}", "launch.final"),
            ("${{ inputs.video | stem }}", "launch"),
            ("${{ inputs.video | sha256 }}", "ab" * 32),
            ("${{ 'a' | sha256 }}", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
            ("${{ '[1, {\"a\": null}]' | fromjson }}", [1, {"a": None}]),
            ("${{ [3, 1] | sort | join('-') }}", "1-3"),
        ],
    )
    def test_ours(self, text: str, expected: Any) -> None:
        assert value(text) == expected

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("${{ 'xx-notatag' | language_name }}", "not a language tag"),
            ("${{ '{' | fromjson }}", "not JSON"),
        ],
    )
    def test_what_they_refuse(self, text: str, message: str) -> None:
        assert message in problem(text).message

    def test_plugin_filters_are_asked_for_once_and_when_needed(self) -> None:
        asked = []

        def more() -> dict[str, Any]:
            asked.append(1)
            return {"shout": lambda text: f"{text}!"}

        expressions = Expressions(more_filters=more)
        assert expressions.compile("${{ lang | upper }}").render(NAMES) == "ES-ES"
        assert asked == []
        assert expressions.compile("${{ lang | shout }}").render(NAMES) == "es-ES!"
        with pytest.raises(ExpressionError, match="nosuch"):
            expressions.compile("${{ lang | nosuch }}")
        assert asked == [1]


def test_the_same_text_is_compiled_once() -> None:
    expressions = Expressions()
    assert expressions.compile("${{ a }}") is expressions.compile("${{ a }}")
    assert expressions.condition("a") is expressions.condition("a")


@pytest.mark.parametrize(
    ("text", "expected"), [("${{ a }}", True), ("{% if a %}", True), ("{{ a }}", False), ("plain", False)]
)
def test_what_is_a_template(text: str, expected: bool) -> None:
    assert is_template(text) is expected
