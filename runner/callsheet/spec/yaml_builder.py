"""Plain Python values and their positions, built from the events of PyYAML's C parser.

Only events are used: PyYAML's composer recurses in C, and some 30,000 nested ``[`` end the whole process with a
segmentation fault. The event parser keeps its own stack, and here the depth is capped while events arrive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import yaml

from .yaml_hints import explain
from .yaml_problems import Problems
from .yaml_scalars import TAG_PREFIX, TYPED_STARTS, plain_value, tagged_value

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 100
MAX_VALUES: Final = 2_000_000  # with aliases put in: what a walk over the data would meet
MAX_EVENTS: Final = 8_000_000  # as written: bounds memory for a file with very many tiny values

# The pure parser gives the same events, many times slower: better than refusing to start without libyaml.
Parser: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Positions are indexes into the text: one attribute of PyYAML's marks to read, one small int to keep.
# For a list the position of each item; for a map, by key, the positions of the key and of its value.
Marks = list[int] | dict[str, tuple[int, int]]


class _Signal:
    """Instead of a key: what to do with the next value of a map."""


WANTED: Final = _Signal()  # no value, the next node is a key
MERGE: Final = _Signal()  # the key was `<<`
DROP: Final = _Signal()  # the key was wrong and has been reported


@dataclass(slots=True)
class _Anchor:
    value: Any
    mark: int
    size: int = 0  # values in it, with aliases put in
    height: int = 0  # containers nested in it, itself included
    open: bool = False  # its end has not been read yet


@dataclass(slots=True)
class _Frame:
    """A list or map that is being filled."""

    container: Any
    marks: Any
    mark: int
    key: str | _Signal | None  # None in a list
    anchor: _Anchor | None = None
    key_mark: int = 0
    size: int = 0  # values in the items that are complete or aliases, without the items themselves
    height: int = 1
    merge_mark: int | None = None
    merged: list[tuple[Any, int]] = field(default_factory=list)


@dataclass(slots=True)
class Built:
    """``root`` is the position of the document's value, None if there is none; ``marks`` is by ``id(container)``."""

    data: Any
    root: int | None
    marks: dict[int, Marks]


def build(file: str, text: str, restore: dict[int, str]) -> Built:
    """Build the only document in ``text``; ``restore`` translates characters of the scalars back.

    :raises SpecError: with all problems up to the first after which reading on is impossible
    :raises yaml.reader.ReaderError: characters that YAML does not allow
    """
    builder = _Builder(Problems(file, text), restore, Parser(text))
    try:
        builder.run()
    except yaml.MarkedYAMLError as error:
        builder.problems.syntax(explain(error, file, text))
    builder.problems.raise_if_any()
    return builder.built()


class _Builder:
    def __init__(self, problems: Problems, restore: dict[int, str], parser: Any) -> None:
        self.problems = problems
        self.restore = restore
        self.parser = parser
        self.marks: dict[int, Marks] = {}
        self.anchors: dict[str, _Anchor] = {}
        self.names: dict[str, str] = {}  # unquoted keys that are text: looked at once, stored once
        self.documents = 0
        self.aliases = False  # whether there are any
        self.frame = _Frame([], [], 0, None)  # holds the document's value as its only item
        self.stack: list[_Frame] = []

    def run(self) -> None:
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.start_map,
            yaml.SequenceStartEvent: self.start_list,
            yaml.MappingEndEvent: self.end,
            yaml.SequenceEndEvent: self.end,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
            yaml.DocumentEndEvent: self.ignore,
            yaml.StreamStartEvent: self.ignore,
            yaml.StreamEndEvent: self.ignore,
        }
        frame, names, usual = self.frame, self.names, yaml.ScalarEvent if not self.restore else None
        event: Any = None
        # The loop spells out the usual cases, a known key and a value, without a call: it turns some hundred thousand
        # times for a data file, and this halves what is spent beside the parser.
        for event in islice(iter(self.parser.get_event, None), MAX_EVENTS):
            kind = type(event)
            if kind is usual and event.anchor is None:
                value, key, (plain, quoted) = event.value, frame.key, event.implicit
                if key is WANTED:
                    name = names.get(value)
                    if name is not None and plain and name not in frame.marks:
                        frame.key, frame.key_mark = name, event.start_mark.index
                        continue
                elif quoted or (plain and not event.style):
                    if plain and value[:1] in TYPED_STARTS:
                        value = plain_value(value)
                    if key is None:
                        frame.container.append(value)
                        frame.marks.append(event.start_mark.index)
                        continue
                    if type(key) is str:
                        frame.container[key] = value
                        frame.marks[key] = (frame.key_mark, event.start_mark.index)
                        frame.key = WANTED
                        continue
            handlers[kind](event)
            frame = self.frame
        if type(event) is not yaml.StreamEndEvent:
            self.problems.stop(frame.mark, "yaml-size", f"more than {MAX_EVENTS:,} keys and values", "split the file")

    def built(self) -> Built:
        if not self.frame.container:
            return Built(None, None, {})
        return Built(self.frame.container[0], self.frame.marks[0], self.marks)

    # One handler for each kind of event.

    def ignore(self, event: yaml.Event) -> None:
        pass

    def document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            hint = 'one document per file: delete the "---", or move what follows to a file of its own'
            self.problems.stop(_mark(event), "yaml-documents", "a second document begins here", hint)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        frame, mark, tag = self.frame, _mark(event), event.tag
        text: str = event.value.translate(self.restore) if self.restore else event.value
        plain = event.implicit[0] and not event.style
        if frame.key is WANTED and plain and event.anchor is None:
            self.plain_key(frame, text, mark)
            return
        value: Any = text
        if plain:
            value = plain_value(text)
        elif tag is not None:
            value = self.tagged(tag, text, mark)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchor(value, mark)
        self.put(frame, value, mark)

    def start_map(self, event: yaml.MappingStartEvent) -> None:
        self.start(event, _Frame({}, {}, _mark(event), WANTED), "map")

    def start_list(self, event: yaml.SequenceStartEvent) -> None:
        self.start(event, _Frame([], [], _mark(event), None), "seq")

    def start(self, event: yaml.CollectionStartEvent, frame: _Frame, tag: str) -> None:
        parent, mark = self.frame, frame.mark
        if len(self.stack) >= MAX_DEPTH:
            self.problems.stop(mark, "yaml-depth", f"nested more than {MAX_DEPTH} levels deep")
        if event.tag is not None and event.tag not in ("!", TAG_PREFIX + tag):
            self.problems.unknown_tag(mark, event.tag)
        self.marks[id(frame.container)] = frame.marks
        if event.anchor is not None:
            frame.anchor = self.anchors[event.anchor] = _Anchor(frame.container, mark, open=True)
        if parent.key is WANTED:
            self.problems.key_is_container(mark, parent.mark)
            parent.key = DROP
        else:
            self.add(parent, frame.container, mark)
        self.stack.append(parent)
        self.frame = frame

    def end(self, event: yaml.Event) -> None:
        frame, parent = self.frame, self.stack.pop()
        # Merged only now: maps written in place were empty before, and explicit keys win wherever they stand.
        for source, mark in frame.merged:
            self.merge(frame, source, mark)
        size = frame.size + len(frame.container)
        if frame.anchor is not None:
            frame.anchor.size, frame.anchor.height, frame.anchor.open = size, frame.height, False
        parent.size += size
        parent.height = max(parent.height, frame.height + 1)
        self.frame = parent
        self.check_expansion(parent, frame.mark)

    def alias(self, event: yaml.AliasEvent) -> None:
        mark, frame, name = _mark(event), self.frame, str(event.anchor)
        anchor = self.anchors.get(name)
        if anchor is None or anchor.open:
            if anchor is None:
                self.problems.unknown_anchor(mark, name, self.anchors)
            else:
                self.problems.alias_in_itself(mark, name, anchor.mark)
            anchor = _Anchor(None, mark)
            if frame.key is MERGE:
                frame.key = DROP
        elif len(self.stack) + anchor.height > MAX_DEPTH:
            self.problems.stop(mark, "yaml-depth", f"with aliases put in, nested more than {MAX_DEPTH} levels deep")
        self.aliases = True
        frame.size += anchor.size
        frame.height = max(frame.height, anchor.height + 1)
        self.check_expansion(frame, mark)
        if frame.key is WANTED:
            self.key(frame, anchor.value, mark)
        else:
            self.add(frame, anchor.value, anchor.mark)

    def check_expansion(self, frame: _Frame, mark: int) -> None:
        if frame.size > MAX_VALUES and self.aliases:
            self.problems.stop(mark, "yaml-aliases", f"more than {MAX_VALUES:,} values with aliases put in")

    # Putting keys and values where they belong.

    def put(self, frame: _Frame, value: Any, mark: int) -> None:
        if frame.key is WANTED:
            self.key(frame, value, mark)
        else:
            self.add(frame, value, mark)

    def add(self, frame: _Frame, value: Any, mark: int) -> None:
        key = frame.key
        if key is None:
            frame.container.append(value)
            frame.marks.append(mark)
            return
        if type(key) is str:
            frame.container[key] = value
            frame.marks[key] = (frame.key_mark, mark)
        elif key is MERGE:
            frame.merged.append((value, mark))
        frame.key = WANTED

    def plain_key(self, frame: _Frame, text: str, mark: int) -> None:
        name = self.names.get(text)
        if name is not None and name not in frame.marks:
            frame.key, frame.key_mark = name, mark
        elif text == "<<":
            self.merge_key(frame, mark)
        else:
            value = plain_value(text)
            if type(value) is str:
                self.names[text] = text
            self.key(frame, value, mark)

    def key(self, frame: _Frame, value: Any, mark: int) -> None:
        frame.key, frame.key_mark = DROP, mark
        if type(value) is not str:
            self.problems.key_is_no_text(mark, value)
        elif value in frame.marks:
            self.problems.duplicate_key(mark, value, frame.marks[value][0])
        else:
            frame.key = value

    def merge_key(self, frame: _Frame, mark: int) -> None:
        if frame.merge_mark is None:
            frame.key, frame.merge_mark = MERGE, mark
        else:
            frame.key = DROP
            self.problems.duplicate_key(mark, "<<", frame.merge_mark)

    def merge(self, frame: _Frame, source: Any, mark: int) -> None:
        sources = source if isinstance(source, list) else [source]
        if not all(isinstance(item, dict) for item in sources):
            self.problems.add(mark, "yaml-key", '"<<" needs a map or a list of maps', 'write "<<: *name_of_an_anchor"')
            return
        for item in sources:
            marks: Any = self.marks[id(item)]
            for name in item:
                if name not in frame.container:
                    frame.container[name] = item[name]
                    frame.marks[name] = marks[name]

    def tagged(self, tag: str, text: str, mark: int) -> Any:
        try:
            return tagged_value(tag, text)
        except KeyError:
            self.problems.unknown_tag(mark, tag)
        except ValueError:
            self.problems.wrong_tag(mark, tag, text)
        return text


def _mark(event: Any) -> int:
    return int(event.start_mark.index)
