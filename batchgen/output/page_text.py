"""The text of the page: the template with the data in it, piece by piece."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import jinja2
from markupsafe import Markup

from batchgen.model import Json
from batchgen.output.cards import WORDS, mark_from
from batchgen.output.layout import Layout, amount, charged
from batchgen.output.page_data import Sent, page_data
from batchgen.output.page_script import TEMPLATE, policy_hash, resource, script, style
from batchgen.output.previews import Preview

_PIECES_A_CHUNK = 200
_FAILURES = ("failed", "refused", "canceled")


def render(
    document: Mapping[str, Json],
    layout: Layout,
    jobs: Mapping[int, Sequence[int]],
    drawn: Mapping[str, Preview],
    sent: Sent | None = None,
) -> Iterator[str]:
    """Write a page, piece by piece; see ``page_data`` for what it takes."""
    counts = Counter(document["summary"]["statuses"])  # of an older document some are left out
    stream = _template().stream(
        document=document,
        summary=document["summary"],
        data=map(Markup, page_data(document, layout, jobs, drawn, sent)),
        left_out=layout.left_out,
        segments=_segments(counts),
        mark_command=mark_from(document),
        failures=sum(counts[status] for status in _FAILURES),
        alone=sent is not None,
        amount=amount,
        charged=charged,
        style=Markup(style()),  # noqa: S704 - a file of this package
        script=Markup(script()),  # noqa: S704 - files of this package
        style_hash=policy_hash(style()),
        script_hash=policy_hash(script()),
    )
    stream.enable_buffering(_PIECES_A_CHUNK)
    yield from stream


@cache
def _template() -> jinja2.Template:
    """Return the page's template; to compile it takes longer than to write most pages with it."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(resource(TEMPLATE))


def _segments(counts: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """Return the bar of outcomes as (status, start, width), in hundredths."""
    total = sum(counts.values()) or 1
    placed: list[tuple[str, float, float]] = []
    start = 0.0
    for status in WORDS:
        width = 100 * counts[status] / total
        if width:
            placed.append((status, round(start, 3), round(width, 3)))
        start += width
    return placed
