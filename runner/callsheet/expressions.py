"""Expressions: ``${{ … }}`` in the values of a job file, compiled once per distinct text.

Jinja2 does the parsing and the work, in an immutable sandbox with strict undefined values. Ours are the delimiters, the
rule that a value which is exactly one expression keeps its type, the references found by walking the syntax tree (so
that they can be checked before anything runs), and messages that name the expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Undefined

from .core.values import Deferred, Media, Unready
from .references import Reference
from .references import references as find_references
from .sandbox import Problem, Sandbox, UpstreamSkipped, check_length, check_text, only_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Template as JinjaTemplate

    Names = Mapping[str, Any]

__all__ = ["ExpressionError", "Expressions", "Reference", "Template", "UpstreamSkipped", "is_template"]

_ALLOWED_BLOCKS = (nodes.Output, nodes.If, nodes.For, nodes.Assign, nodes.AssignBlock)


class ExpressionError(Exception):
    """An expression that cannot be compiled or evaluated; line and column count from 0 inside its text."""

    def __init__(
        self, message: str, hint: str = "", *, line: int = 0, column: int = 0, code: str = "expression"
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.line, self.column, self.code = message, hint, line, column, code


class Template:
    """One compiled text. ``typed``: the text is exactly one expression and keeps the expression's type."""

    __slots__ = ("_evaluate", "_sandbox", "direct", "references", "text", "typed")

    def __init__(
        self,
        text: str,
        evaluate: Callable[[Names], Any],
        references: tuple[Reference, ...],
        sandbox: Sandbox,
        *,
        typed: bool,
        direct: bool,
    ) -> None:
        self.text = text
        self.references = references
        self.typed = typed
        self.direct = direct
        self._evaluate = evaluate
        self._sandbox = sandbox

    def render(self, names: Names) -> Any:
        """The value. `Deferred` when it needs something only a run can give.

        Raises `ExpressionError`, or `UpstreamSkipped` when it reads the outputs of a skipped task.
        """
        try:
            return self._evaluate(names)
        except Unready as waits:
            return waits.deferred
        except UpstreamSkipped:
            raise
        except Problem as problem:
            raise ExpressionError(f"{problem} in `{_brief(self.text)}`", problem.hint) from None
        except UndefinedError as problem:
            raise ExpressionError(f"{problem.message} in `{_brief(self.text)}`", getattr(problem, "hint", "")) from None
        except SecurityError as problem:
            said = (problem.message or "not available").rstrip(".")
            raise ExpressionError(f"{said} in `{_brief(self.text)}`", code="expression-unsafe") from None
        except RecursionError:
            raise ExpressionError(f"`{_brief(self.text)}` is nested too deeply") from None
        except Exception as problem:  # whatever a filter or an operator raises on odd data is the user's to see
            later = self._waits(names)
            if later is not None:
                return later  # an operator of Python's own, which does not ask a value whether it may be used
            said = str(problem) or type(problem).__name__
            raise ExpressionError(f"`{_brief(self.text)}` cannot be evaluated: {said}") from None

    def _waits(self, names: Names) -> Deferred | None:
        """The first thing the text reads that only a run can give."""
        for reference in self.references:
            value = names.get(str(reference.chain[0]))
            try:
                for part in reference.chain[1:]:
                    if part is None or isinstance(value, Undefined):
                        break
                    value = self._sandbox.getitem(value, part)
            except Unready as waits:
                return waits.deferred
            except Exception:  # it cannot be read, which is another problem
                continue
            if isinstance(value, Deferred):
                return value
        return None


def is_template(text: str) -> bool:
    """Whether a text holds an expression or a block."""
    return "${{" in text or "{%" in text


class Expressions:
    """Compiles texts and keeps what it compiled. ``more_filters`` is asked, once, when a filter is not one of ours."""

    def __init__(self, more_filters: Callable[[], Mapping[str, Callable[..., Any]]] | None = None) -> None:
        self.sandbox = Sandbox({})
        self._more_filters = more_filters
        self._templates: dict[str, Template] = {}
        self._conditions: dict[str, Template] = {}

    def compile(self, text: str) -> Template:
        """Compile a value of the job file. Raises `ExpressionError`."""
        known = self._templates.get(text)
        if known is None:
            known = self._templates[text] = self._compile(text)
        return known

    def condition(self, text: str) -> Template:
        """Compile a boolean expression, with or without ``${{ }}``; anything but a boolean is an error."""
        known = self._conditions.get(text)
        if known is None:
            known = self._conditions[text] = self._condition(text)
        return known

    def _condition(self, text: str) -> Template:
        stripped = text.strip()
        bare = not is_template(stripped)
        inner = self._compile(f"${{{{ {stripped} }}}}" if bare else stripped)
        if not inner.typed:
            raise ExpressionError(f"`{_brief(text)}` is text, not one expression", "write a single boolean expression")

        def evaluate(names: Names) -> Any:
            value = inner._evaluate(names)
            if isinstance(value, bool | Deferred):
                return value
            raise Problem(
                f"the result is {describe(value)}, not true or false",
                hint="compare it: `x == 'yes'`, `x is defined`, …",
            )

        shift = len("${{ ") if bare else 0
        references = tuple(
            Reference(r.chain, r.line, max(0, r.column - (shift if r.line == 0 else 0)), r.optional)
            for r in inner.references
        )
        return Template(stripped, evaluate, references, self.sandbox, typed=True, direct=inner.direct)

    def _compile(self, text: str) -> Template:
        try:
            return self._compile_tree(text, self.sandbox.parse(text.replace("$${{", "${{ '${{' }}")))
        except TemplateSyntaxError as problem:
            if self._more_filters is not None and "No filter named" in (problem.message or ""):
                self.sandbox.filters.update(self._more_filters())
                self._more_filters = None
                return self._compile(text)
            raise _syntax_error(text, problem) from None
        except RecursionError:
            raise ExpressionError(f"`{_brief(text)}` is nested too deeply", code="expression-syntax") from None

    def _compile_tree(self, text: str, tree: nodes.Template) -> Template:
        _refuse_other_blocks(tree, text)
        references = tuple(find_references(tree, text))
        single = _single_expression(tree)
        make = partial(Template, text, references=references, sandbox=self.sandbox)
        if single is not None:
            direct = _direct(single, self.sandbox)
            return make(evaluate=direct or self._typed(single), typed=True, direct=direct is not None)
        parts = _direct_parts(tree, self.sandbox)
        if parts is not None:
            return make(evaluate=_joined(parts), typed=False, direct=True)
        return make(evaluate=self._text(tree), typed=False, direct=False)

    def _typed(self, expression: nodes.Expr) -> Callable[[Names], Any]:
        """Evaluate to the expression's own type: assign it, then read the variable, as `compile_expression` does."""
        assign = nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)
        template = self.sandbox.from_string(nodes.Template([assign], lineno=1))

        def evaluate(names: Names) -> Any:
            context = template.new_context(dict(names))
            for _ in template.root_render_func(context):
                pass
            return _finished(context.vars["result"])

        return evaluate

    def _text(self, tree: nodes.Template) -> Callable[[Names], Any]:
        template: JinjaTemplate = self.sandbox.from_string(tree)

        def evaluate(names: Names) -> Any:
            context = template.new_context(dict(names))
            pieces: list[str] = []
            length = 0
            for piece in template.root_render_func(context):
                length += len(piece)
                check_length(length)  # before the next piece is made: loops can make a great many
                pieces.append(piece)
            return "".join(pieces)

        return evaluate


def _finished(value: Any) -> Any:
    """A result as plain data: lazy filters give lists, and nothing undefined hides inside."""
    if isinstance(value, Undefined):
        str(value)  # raises: strict undefined values may be passed around, but not be a result
    if isinstance(value, Iterator):
        value = list(value)
    if isinstance(value, list | tuple):
        return [_finished(item) for item in value]
    if type(value) is dict:
        return {key: _finished(item) for key, item in value.items()}
    return value


def describe(value: object) -> str:
    """What kind of value it is, in a user's words."""
    if isinstance(value, Media):
        return f"media ({value.kind})"
    names = {bool: "true or false", str: "text", int: "a number", float: "a number", list: "a list", dict: "a map"}
    if value is None:
        return "null"
    return next((name for kind, name in names.items() if isinstance(value, kind)), type(value).__name__)


def _brief(text: str, longest: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _syntax_error(text: str, problem: TemplateSyntaxError) -> ExpressionError:
    line = max(0, problem.lineno - 1)
    lines = text.split("\n")
    column = max(0, lines[line].find("${{")) if line < len(lines) else 0
    message = (problem.message or "syntax error").rstrip(".")
    hint = 'write "$${{" for a literal "${{"' if "unexpected end" in message.lower() else ""
    if "end of print statement" in message or "unexpected end of template" in message.lower():
        hint = 'an expression ends with "}}"; write "$${{" for a literal "${{"'
    elif "No filter named" in message:
        hint = "only pure filters exist; see the list in the documentation of the job language"
    elif "tag" in message:
        hint = "blocks are {% if %}, {% for %} and {% set %}"
    return ExpressionError(
        f"{message[:1].lower()}{message[1:]}", hint, line=line, column=column, code="expression-syntax"
    )


def _refuse_other_blocks(tree: nodes.Template, text: str) -> None:
    for node in tree.find_all(nodes.Stmt):
        if not isinstance(node, _ALLOWED_BLOCKS):
            name = type(node).__name__.lower()
            raise ExpressionError(
                f"a `{name}` block cannot be used here in `{_brief(text)}`",
                "blocks are {% if %}, {% for %} and {% set %}",
                line=(node.lineno or 1) - 1,
                code="expression-syntax",
            )


def _single_expression(tree: nodes.Template) -> nodes.Expr | None:
    """The expression, when the whole text is exactly one."""
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        only = tree.body[0].nodes[0]
        return None if isinstance(only, nodes.TemplateData) else only
    return None


def _direct(node: nodes.Expr, sandbox: Sandbox) -> Callable[[Names], Any] | None:
    """A plain closure for chains such as ``row.name`` and ``vars.voice[lang]``: far quicker than a template."""
    reader = _chain_reader(node, sandbox)
    if reader is None:
        return None

    def evaluate(names: Names) -> Any:
        value = reader(names)
        if isinstance(value, Undefined):
            str(value)
        return value

    return evaluate


def _chain_reader(node: nodes.Expr, sandbox: Sandbox) -> Callable[[Names], Any] | None:
    if isinstance(node, nodes.Name):
        name = node.name
        return lambda names: names[name] if name in names else sandbox.undefined(name=name)
    if isinstance(node, nodes.Getattr):
        inner = _chain_reader(node.node, sandbox)
        attribute = node.attr
        return inner and (lambda names: sandbox.getattr(inner(names), attribute))
    if isinstance(node, nodes.Getitem):
        owner = _chain_reader(node.node, sandbox)
        if isinstance(node.arg, nodes.Const):
            constant = node.arg.value
            return owner and (lambda names: sandbox.getitem(owner(names), constant))
        index = _chain_reader(node.arg, sandbox)
        if owner and index:
            return lambda names: sandbox.getitem(owner(names), index(names))
    return None


def _direct_parts(tree: nodes.Template, sandbox: Sandbox) -> list[str | Callable[[Names], Any]] | None:
    """Text and plain chains only: they can be joined without a template."""
    parts: list[str | Callable[[Names], Any]] = []
    for statement in tree.body:
        if not isinstance(statement, nodes.Output):
            return None
        for node in statement.nodes:
            if isinstance(node, nodes.TemplateData):
                parts.append(node.data)
            elif isinstance(node, nodes.Const) and isinstance(node.value, str):
                parts.append(node.value)
            else:
                reader = _direct(node, sandbox)
                if reader is None:
                    return None
                parts.append(reader)
    return parts


def _joined(parts: list[str | Callable[[Names], Any]]) -> Callable[[Names], Any]:
    def evaluate(names: Names) -> Any:
        return check_text("".join([part if isinstance(part, str) else str(only_text(part(names))) for part in parts]))

    return evaluate
