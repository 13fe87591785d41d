"""How changed jobs are drawn: the words that differ, with some of what stands around them.

What is gone and what is new is red and green where there are colours, and ``[-gone-]{+new+}`` elsewhere.
To be imported where it is used: ``--help`` can do without what it needs.
"""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import click
from rich.cells import cell_len
from rich.console import Console

from batchgen import api
from batchgen.cli.cells import apart, context, cut, seen
from batchgen.cli.plan_money import span_of
from batchgen.formats import units

Pieces: TypeAlias = "Sequence[tuple[str, str]]"  # of a line: what became of it, and the text

WIDE = 100  # cells of a line where there is no terminal
_LEAST = 16  # cells that a text gets, however narrow the terminal is
_PLACES = 3  # of one text that are shown
_NAMED = 3  # jobs that a line names
_SAME = "written in another way"
_EXAMPLES = 2  # of jobs that are changed each in its own way
_COLOURS = {"gone": "red", "new": "green"}
_SIGNS = {"gone": "[-{}-]", "new": "{{+{}+}}"}


class Look(NamedTuple):
    """How much is shown, and how.

    Attributes:
        width: of a line, in cells.
        colours: whether there are any.
        all: whether each job is shown by itself.
    """

    width: int
    colours: bool
    all: bool = False


def look_at_output(*, show_all: bool) -> Look:
    """Return how standard output shows things: NO_COLOR, FORCE_COLOR and TERM=dumb are kept to."""
    console = Console()
    colours = console.color_system is not None and not console.no_color
    return Look(console.width if console.file.isatty() else WIDE, colours, show_all)


def drawn(groups: "Sequence[api.ChangedAlike]", quoted: "api.Quoted", look: Look) -> Iterator[str]:
    """Return the lines of changed jobs."""
    for group in groups:
        money, count = _money(group, quoted), f"{len(group.members):,} jobs"
        if len(group.members) == 1:
            head, room = f"  ~ {_name(group.members[0], look)}: ", look.width - cell_len(money) - 2
            yield from _with_tail(_line(head, group.parts, look, room), money, look)
        elif group.exact:
            how = "; ".join(_draw(_short(part, look.width // 3), look) for part in group.parts)
            yield from _with_tail(f"  ~ {count}: {how or _SAME}", f"{_few(group)}; {money}", look)
        else:
            names = ", ".join(dict.fromkeys(change.name for change in group.members[0].changes))
            yield from _with_tail(f"  ~ {count}: {names}, each in its own way", f"{money}; such as", look)
            for one in group.members[:_EXAMPLES]:
                [alone] = api.changed_alike([one])
                yield _line(f"      {_name(one, look)}: ", alone.parts, look, look.width)


def _with_tail(line: str, tail: str, look: Look) -> Iterator[str]:
    """Return a line with what belongs to it, which goes below it where there is no room."""
    whole = f"{line}; {tail}"
    yield from [whole] if cell_len(click.unstyle(whole)) <= look.width else [line, f"      {tail}"]


def _few(group: "api.ChangedAlike") -> str:
    named = [cut(one.entry.job.id, 24) for one in group.members[:_NAMED]]
    return ", ".join([*named, *(["..."] if len(group.members) > _NAMED else [])])


def _name(changed: "api.Changed", look: Look) -> str:
    before, after = changed.before.job.id, changed.entry.job.id
    name = cut(after, max(_LEAST, look.width // 3))
    return name if before == after else f"{cut(before, max(_LEAST, look.width // 4))} => {name}"


def _line(head: str, parts: "Sequence[api.Change]", look: Look, room: int) -> str:
    """Return the line of one job, its texts as long as there is room for."""
    whole = _drawn_in(head, parts, look, room)
    # what it costs may as well stand below, where the words would have to be cut for it
    return whole if "..." not in whole else _drawn_in(head, parts, look, look.width)


def _drawn_in(head: str, parts: "Sequence[api.Change]", look: Look, width: int) -> str:
    short = {at: _draw(_short(one, look.width // 3), look) for at, one in enumerate(parts)}
    texts = [at for at, one in enumerate(parts) if api.is_text_change(one)]
    used = cell_len(head) + sum(cell_len(text) + 2 for at, text in short.items() if at not in texts)
    room = max(3 * _LEAST, (width - used) // max(1, len(texts)))
    told = {**short, **{at: _draw(_around(parts[at], room), look) for at in texts}}
    return f"{head}{'; '.join(told[at] for at in sorted(told)) or _SAME}"


def _money(group: "api.ChangedAlike", quoted: "api.Quoted") -> str:
    classes = [quoted.of(one.entry.job) for one in group.members]
    prices = [one.price for one in classes if one is not None and one.price is not None]
    low = sum((one.low for one in prices), Decimal(0))
    high = sum((one.high for one in prices), Decimal(0))
    more = "" if len(prices) == len(group.members) else " and more"
    cost = f"{span_of(api.Price(low=low, high=high))} CU{more}" if prices else "unknown"
    charged = [one.before.record.charged for one in group.members]
    paid = [one for one in charged if one is not None]
    before = f" ({units(sum(paid, Decimal(0)))} CU were charged before the change)" if paid else ""
    return f"costs {cost}{before}"


def _short(part: "api.Change", room: int) -> Pieces:
    """Return a change without what stands around it."""
    room = max(_LEAST, room)
    if part.added:
        return [("same", f"+ {part.name}: {cut(value_of(part.after), room)}")]
    if part.dropped:
        return [("same", f"- {part.name}: {cut(value_of(part.before), room)}")]
    if api.is_text_change(part):
        return _words(part, room)
    before, after = value_of(part.before), value_of(part.after)
    if before == after and api.is_reference(part.after):
        return [("same", f"{part.name}: its parent changed")]
    if before == after:  # a file with another content
        return [("same", f"{part.name}: {cut(before, room)} changed")]
    before, after = apart(before, after, room)
    return [("same", f"{part.name}: {before} -> {after}")]


def _words(part: "api.Change", room: int) -> Pieces:
    """Return the words by which a text differs."""
    places = api.text_edits(part)
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    sign = "+" if not any(one.gone for one in places) else "-" if not any(one.new for one in places) else ""
    if sign:
        named = ", ".join(f"'{cut(seen(one.new or one.gone), room)}'" for one in places[:_PLACES])
        return [("same", f"{part.name} {sign} {named}{more}")]
    pieces = [("same", f"{part.name}: ")]
    for number, place in enumerate(places[:_PLACES]):
        gone, new = apart(seen(place.gone), seen(place.new), room)
        pieces += [*([("same", " ... ")] if number else []), ("gone", gone), ("new", new)]
    return [*pieces, ("same", more)]


def _around(part: "api.Change", room: int) -> Pieces:
    """Return the words by which a text differs, with what stands around them as far as there is room."""
    parts = [(str(one.kind), one.text) for one in api.difference(part.before, part.after) if one.text]
    places = _places(parts)
    shown: dict[int, str] = {}
    for place in places[:_PLACES]:
        shown.update(_place(parts, place, max(_LEAST, room // (2 * min(len(places), _PLACES)))))
    last = max(shown, default=-1)
    around = [at for at, (kind, _) in enumerate(parts) if kind == "same" and at <= last + 1]
    left = (
        room - cell_len(part.name) - 2 - sum(cell_len(text) + 4 for text in shown.values())
    )  # and the signs
    for at in around:
        ends = {"first": at == 0, "last": at == len(parts) - 1}
        shown[at] = context(parts[at][1], max(8, left // len(around)), **ends)
    more = len(places) - _PLACES
    tail = [("same", f" and {more} more places")] if more > 0 else []
    return [("same", f"{part.name}: "), *((parts[at][0], shown[at]) for at in sorted(shown)), *tail]


def _places(parts: Pieces) -> list[list[int]]:
    """Return the numbers of the parts of each place where two texts differ."""
    found: list[list[int]] = []
    for at, (kind, _) in enumerate(parts):
        if kind == "same":
            continue
        if found and found[-1][-1] == at - 1:
            found[-1].append(at)
        else:
            found.append([at])
    return found


def _place(parts: Pieces, place: Sequence[int], room: int) -> dict[int, str]:
    """Return what is written of one place, by the number of the part."""
    texts = {parts[at][0]: seen(parts[at][1]) for at in place}
    gone, new = apart(texts.get("gone", ""), texts.get("new", ""), room)
    return {at: gone if parts[at][0] == "gone" else new for at in place}


def _draw(pieces: Pieces, look: Look) -> str:
    return "".join(_piece(kind, text, look) for kind, text in pieces if text)


def _piece(kind: str, text: str, look: Look) -> str:
    if kind == "same":
        return text
    core = text.strip(" ") or text
    before, _, after = text.partition(core)
    shown = click.style(core, fg=_COLOURS[kind]) if look.colours else _SIGNS[kind].format(core)
    return f"{before}{shown}{after}"


def value_of(value: "api.Json") -> str:
    """Return a value as it is written, a file by its path and another job by its id."""
    if api.is_file(value):
        return str(value["file"])
    if api.is_reference(value):
        which = (
            f" (output {value['output']})" if "output" in value else " (all)" if "outputs" in value else ""
        )
        return f"{value['job']}{which}"
    value = api.as_said(value)
    if isinstance(value, str) and value.isprintable() and value and " " not in value:
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
