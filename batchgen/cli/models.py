"""``batchgen models``."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.awaited import awaited
from batchgen.cli.tables import lines_of

_MOST_SHOWN = 50  # models of a search; more are a number


@click.command("models", short_help="Find models, and show the inputs of one.")
@click.argument("words", nargs=-1, metavar="[ID | WORDS]...")
@click.option("--own", is_flag=True, help="Only models of this account.")
@click.option("--public", is_flag=True, help="Only models of the platform.")
@click.option("--type", "kind", default="", metavar="TYPE", help="Only of this type, such as custom.")
@click.option("--capability", default="", metavar="WORD", help="Only with this capability, such as txt2img.")
@flags.project
@flags.simulate
@flags.as_json
def command(
    *,
    words: tuple[str, ...],
    own: bool,
    public: bool,
    kind: str,
    capability: str,
    project: str | None,
    simulate: bool,
    as_json: bool,
) -> int:
    """Find models, and show the inputs of one.

    With the ID of a model: its inputs, with their bounds and defaults, and how long it takes.
    With words, or none: the models that have all of them in their name, id, description or tags.
    """
    options = api.Options(
        manifest=Path(),
        output=Path("output"),
        environ=flags.environ(),
        journal_address="",  # none is looked at
        simulate=simulate,
        project=project,
    )
    either, text = own == public, " ".join(words)
    search = api.Search(
        text=text, own=own or either, public=public or either, type=kind, capability=capability
    )
    is_id = text.startswith("model_") and len(words) == 1
    found = [] if is_id else awaited(api.find_models(options, search))
    if is_id or any(one.id == text for one in found):
        [model] = awaited(api.describe_models(options, [text]))
        shown = json.dumps(_document(model), ensure_ascii=False) if as_json else "\n".join(_described(model))
        click.echo(shown)
    elif as_json:
        click.echo(json.dumps({"models": [_row(one) for one in found]}, ensure_ascii=False))
    else:
        for line in _listed(found):
            click.echo(line)
    return 0


def _row(model: "api.Model") -> Mapping[str, object]:
    return {
        "id": model.id,
        "name": model.name,
        "type": model.type,
        "capabilities": list(model.capabilities),
        "public": model.public,
        "plan_rank": model.plan_rank,
        "description": model.description,
    }


def _document(model: "api.Model") -> Mapping[str, object]:
    return {
        **_row(model),
        "latency_p75": model.latency_p75,
        "inputs": [one.raw for one in model.inputs],
    }


def _listed(found: "list[api.Model]") -> Iterator[str]:
    if not found:
        yield "No model fits."
        return
    rows = [(one.id, one.name, ", ".join(one.capabilities)) for one in found[:_MOST_SHOWN]]
    yield from lines_of((("id", "name", "capabilities"), *rows))
    if len(found) > _MOST_SHOWN:
        yield f"and {len(found) - _MOST_SHOWN} more: add words, or --json for all"


def _described(model: "api.Model") -> Iterator[str]:

    yield f"{model.id}  {model.name}"
    if model.description:
        yield model.description
    yield from _facts(model)
    yield ""
    inputs = api.declare(model).inputs.values()
    heads = ("input", "type", "required", "default", "takes", "")
    yield from lines_of((heads, *(_input(one) for one in inputs)))
    if any(one.costly for one in inputs):
        yield "* changes the price"
    for note in api.notes_on(model):
        yield f"note: {note}"


def _facts(model: "api.Model") -> Iterator[str]:

    kind = ", ".join((model.type or "model", *model.capabilities))
    yield f"{kind}; {'public' if model.public else 'own'}"
    if model.plan_rank is not None:
        yield f"plan:    {api.plan_of(model.plan_rank)}{' or higher' if model.plan_rank else ''}"
    if model.latency_p75 is not None:
        yield f"takes:   {model.latency_p75:.0f} s or less in three of four cases"


def _input(one: "api.Declared") -> tuple[str, ...]:
    rules = one.required
    sometimes = rules.if_defined or rules.if_not_defined or rules.values
    needed = "always" if rules.always else "sometimes" if sometimes else ""
    default = "" if one.default is None else _text(one.default)
    return (
        f"{one.name}{' *' if one.costly else ''}",
        one.type,
        needed,
        default,
        _bounds(one),
        one.description,
    )


def _bounds(one: "api.Declared") -> str:
    unit = "items" if one.many else "characters"
    least = f"{one.low:.15g}" if one.low is not None else ""
    most = f"{one.high:.15g}" if one.high is not None else ""
    parts = [", ".join(_text(value) for value in one.allowed or ())]
    parts += [f"{least}..{most}" if least or most else "", f"step {one.step:.15g}" if one.step else ""]
    parts += [f"at least {one.shortest} {unit}" if one.shortest else ""]
    parts += [f"at most {one.longest} {unit}" if one.longest is not None else ""]
    parts += [", ".join(sorted(one.kinds))]
    return "; ".join(part for part in parts if part)


def _text(value: "api.Json") -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
