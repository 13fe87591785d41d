"""``batchgen simulate``."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from batchgen import api
from batchgen.cli import flags
from batchgen.cli.signals import passed_on


class SpanType(click.ParamType[tuple[float, float]]):
    """``4-12``, or one number for both ends; gives seconds."""

    name = "LO-HI"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Read the text; click shows what is wrong with it."""
        low, dash, high = str(value).partition("-")
        try:
            span = float(low), float(high if dash else low)
        except ValueError:
            span = (1.0, 0.0)
        if not 0 <= span[0] <= span[1] < float("inf"):
            self.fail(f"{value!r}: write two numbers of seconds, such as 4-12", param, ctx)
        return span


class ShareType(click.ParamType[float]):
    """``5%`` or ``0.05``."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text; click shows what is wrong with it."""
        text = str(value)
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{value!r}: write a share such as 5% or 0.05", param, ctx)
        return share


@click.command("simulate")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 for any.")
@click.option("--seed", type=int, default=0, show_default=True, help="Equal seeds behave alike.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True,
              help="The service's seconds in a second.")  # fmt: skip
@click.option("--duration", type=SpanType(), default="4-12", show_default=True, help="Seconds a job takes.")
@click.option(
    "--latency", type=SpanType(), default="0.02-0.08", show_default=True, help="Seconds an answer takes."
)
@click.option("--ceiling", type=click.IntRange(min=1), metavar="N", help="Most jobs at once; more get a 429.")
@click.option(
    "--cooldown", type=flags.DurationType(), default="0", help="How long a refusal at the ceiling lasts."
)
@click.option("--rate", type=flags.RateType(), help="Most requests, such as 100/min; more get a 429.")
@click.option("--failures", type=ShareType(), default="0", help="Share of jobs that fail, such as 5%.")
@click.option("--cost", "costs", multiple=True, metavar="MODEL=CU",
              help="Compute units an output of a model costs; may be given again.")  # fmt: skip
@click.option("--credits", "credit", metavar="CU", help="Compute units there are to spend.")
@click.option("--unknown-inputs", type=click.Choice(["ignore", "refuse"]),
              help="What becomes of inputs that a model does not declare; without this, tools that work on "
              "one picture ignore them and other models refuse them.")  # fmt: skip
@click.option("--price-unknown-assets", is_flag=True, help="Dry runs price files that are not there.")
@click.option("--other-sizes", is_flag=True, help="Pictures of another size than was asked for.")
@click.option("--same-index", is_flag=True, help="Every output of a job says it is the first.")
@click.option("--listing-lag", type=SpanType(), default="0", help="Seconds by which listings are behind.")
@click.option("--late-outputs", type=ShareType(), default="0",
              help="Share of jobs whose outputs are shown in part at first, or not at all.")  # fmt: skip
@click.option("--whole-after", type=SpanType(), default="5-60", show_default=True,
              help="Seconds until those show all of them.")  # fmt: skip
@click.option("--late-in-jobs", is_flag=True, help="Late in a job itself too, and not only in listings.")
@click.option("--fault", "faults", multiple=True, metavar="CALL:FAULT=SHARE",
              help="What goes wrong, such as submit:cut-after=5%; may be given again. CALL is submit, job, "
              "jobs, model, assets or download; FAULT is cut-before, cut-after, hang-after, 500-before, 500, "
              "502, 503, 408, redirect, no-json, 429 or slow; of a download also truncated, expired, "
              "error-page, zeros or half; of assets and downloads also 404.")  # fmt: skip
@click.option("--deny-model", "closed", multiple=True, metavar="MODEL",
              help="Answer 403 to what names this model; may be given again.")  # fmt: skip
@click.option("--deny-listing", "unlisted", is_flag=True, help="Answer 403 to a listing of jobs.")
@click.option("--deny", "lacks", multiple=True, type=click.Choice(
              ["generate", "prices", "jobs", "listing", "models", "uploads", "bulk", "assets", "limits",
               "usages"]),
              help="Answer 403 to this, as to a key that lacks the right; may be given again.")  # fmt: skip
@click.option("--key", default="key", show_default=True, help="The API key it asks for.")
@click.option("--secret", default="secret", show_default=True, help="The API secret it asks for.")
@click.option("--state", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Keep the jobs here, for the next time.")  # fmt: skip
@click.option("--log", is_flag=True, help="Print every request.")
def command(*, host: str, port: int, speed: float, state: Path | None, log: bool, **words: Any) -> int:
    """Serve a Scenario-like API on this machine, for rehearsals and tests; nothing is spent.

    Prices, ceilings, durations and everything that can go wrong are set by flags and repeat
    themselves for equal seeds. The address goes to standard output once it listens, what to
    export to standard error. Ctrl-C ends it.
    """
    settings = _settings(**words)
    with _said_as_usage():
        settings.at_speed(speed)
    asyncio.run(_serve(settings, host=host, port=port, speed=speed, state=state, log=log))
    return 0


def _settings(
    *,
    seed: int,
    duration: tuple[float, float],
    latency: tuple[float, float],
    ceiling: int | None,
    cooldown: float,
    rate: "api.Rate | None",
    failures: float,
    costs: Sequence[str],
    credit: str | None,
    unknown_inputs: str | None,
    price_unknown_assets: bool,
    other_sizes: bool,
    same_index: bool,
    listing_lag: tuple[float, float],
    late_outputs: float,
    whole_after: tuple[float, float],
    late_in_jobs: bool,
    faults: Sequence[str],
    closed: Sequence[str],
    unlisted: bool,
    lacks: Sequence[str],
    key: str,
    secret: str,
) -> "api.Settings":

    units = None if credit is None else _units(credit, "--credits")
    with _said_as_usage():
        return api.Settings(
            seed=seed,
            duration=duration,
            latency=latency,
            prices=dict(_price(text) for text in costs),
            limits=api.Limits(
                ceiling=ceiling, cooldown=cooldown, rate=None if rate == api.NO_RATE else rate, credits=units
            ),
            unknown_inputs=None if unknown_inputs is None else api.UnknownInputs(unknown_inputs),
            prices_unknown_assets=price_unknown_assets,
            denied=api.Denied(
                models=frozenset(closed), listing=unlisted, rights=frozenset(map(api.Right, lacks))
            ),
            outcomes=api.Outcomes(failures=failures),
            views=api.Views(
                listing_lag=listing_lag,
                late_outputs=late_outputs,
                outputs_whole_after=whole_after,
                outputs_late_in_jobs=late_in_jobs,
                other_sizes=other_sizes,
                index_always_zero=same_index,
            ),
            faults=_plan(faults),
            key=key,
            secret=secret,
        )


def _price(text: str) -> "tuple[str, Decimal]":
    model, equals, units = text.partition("=")
    if not (model and equals):
        raise click.BadParameter(f"{text!r}: write MODEL=CU, such as model_x=5", param_hint="--cost")
    return model, _units(units, "--cost")


def _units(text: str, flag: str) -> "Decimal":
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise click.BadParameter(f"{text!r} is not a number", param_hint=flag) from error


def _plan(faults: Sequence[str]) -> "api.FaultPlan":

    chances: dict[api.Call, dict[api.Fault, float]] = {}
    for text in faults:
        what, equals, share = text.partition("=")
        call, colon, fault = what.partition(":")
        if not (equals and colon):
            said = f"{text!r}: write CALL:FAULT=SHARE, such as submit:cut-after=5%"
            raise click.BadParameter(said, param_hint="--fault")
        try:
            chances.setdefault(api.Call(call), {})[api.Fault(fault)] = ShareType().convert(share, None, None)
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: {error}; see --help", param_hint="--fault") from error
    with _said_as_usage():
        return api.FaultPlan(chances=chances)


@contextmanager
def _said_as_usage() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise click.UsageError(str(error)) from error


async def _serve(
    settings: "api.Settings", *, host: str, port: int, speed: float, state: Path | None, log: bool
) -> None:

    ended = asyncio.Event()
    tell = (lambda line: click.echo(line, err=True)) if log else None
    served = api.serve(settings, host=host, port=port, speed=speed, state=state, log=tell)
    with passed_on(lambda _: ended.set()):
        async with served as running:
            click.echo(
                f"export SCENARIO_BASE_URL={running.base_url} "
                f"SCENARIO_SDK_API_KEY={settings.key} SCENARIO_SDK_API_SECRET={settings.secret}",
                err=True,
            )
            click.echo(running.base_url)
            sys.stdout.flush()
            await ended.wait()
