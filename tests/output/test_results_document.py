import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.formats import moment, number
from batchgen.lifecycle import Record, State
from batchgen.model import Job, JobKey, Refund, Submission
from batchgen.output.entries import Row, Status, entry, status_of, without_signature
from batchgen.output.layout import lay_out
from batchgen.output.report import write_report
from batchgen.output.results import prompts, results_document, results_json, write_results
from batchgen.output.summary import Results

GOLDEN = Path(__file__).parent / "golden"


def whole(results: Results) -> dict[str, Any]:
    """Give the document with every job made."""
    document = results_document(results)
    for name in {"jobs", "removed"} & document.keys():
        document[name] = list(document[name])
    return document


def test_the_whole_document_is_as_agreed(results: Results) -> None:
    document = whole(results)
    expected = json.loads((GOLDEN / "results.json").read_text("utf-8"))
    assert document == expected
    assert json.dumps(document) == json.dumps(expected), "the order of the keys"


def test_the_text_on_disk_is_as_agreed(results: Results) -> None:
    assert b"".join(results_json(results)).decode() == (GOLDEN / "results.json").read_text("utf-8")


def test_files_are_written_whole(results: Results, tmp_path: Path) -> None:
    write_results(tmp_path / "out", results)
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["results.csv", "results.json"]
    assert (tmp_path / "out" / "results.json").read_bytes() == (GOLDEN / "results.json").read_bytes()


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.PLANNED, Status.PENDING),
        (State.SUBMITTING, Status.RUNNING),
        (State.RUNNING, Status.RUNNING),
        (State.IN_DOUBT, Status.IN_DOUBT),
        (State.HELD, Status.IN_DOUBT),
        (State.SUCCEEDED, Status.SUCCEEDED),
        (State.COLLECTED, Status.SUCCEEDED),
        (State.FAILED, Status.FAILED),
        (State.ABANDONED, Status.FAILED),
        (State.CANCELED, Status.CANCELED),
        (State.REFUSED, Status.REFUSED),
    ],
)
def test_every_state_has_its_word(make_row: Callable[..., Row], state: State, status: Status) -> None:
    assert status_of(make_row("a", "p", Record(state=state))) is status


def test_only_what_runs_can_be_out_of_sight(make_row: Callable[..., Row]) -> None:
    assert status_of(make_row("a", "p", Record(state=State.RUNNING), out_of_sight=True)) is Status.TIMED_OUT
    assert status_of(make_row("a", "p", Record(state=State.FAILED), out_of_sight=True)) is Status.FAILED


def test_a_job_without_a_record_is_pending_and_shows_what_would_be_sent(make_row: Callable[..., Row]) -> None:
    made = entry(make_row("a", "p", params={"seed": 7, "refs": [{"file": "x.png"}]}))
    assert (made["status"], made["attempts"], made["seed"], made["error"]) == ("pending", 0, 7, None)
    assert made["params"] == {"seed": 7, "refs": [{"file": "x.png"}]}


def test_a_job_that_waits_has_no_error(make_row: Callable[..., Row]) -> None:
    waits = Record(state=State.PLANNED, error="the ceiling of 5 is reached", body="{}")
    assert entry(make_row("a", "p", waits))["error"] is None


def test_attempts_count_only_those_that_began(make_row: Callable[..., Row]) -> None:
    asked = Record(state=State.PLANNED, attempt=2, body=None)
    assert entry(make_row("a", "p", asked))["attempts"] == 1


def test_a_failure_without_words_still_says_so(make_row: Callable[..., Row]) -> None:
    assert entry(make_row("a", "p", Record(state=State.FAILED)))["error"] == {
        "message": "the service gave no reason"
    }


def test_no_signature_gets_out(make_row: Callable[..., Row]) -> None:
    url = "https://cdn.test/assets/a.png?Policy=p&Signature=SECRET&Key-Pair-Id=k"
    body = json.dumps({"prompt": "p", "image": url, "deep": [{"image": url}]})
    record = Record(state=State.FAILED, body=body, error=f"cannot read {url}, sorry")
    made = json.dumps([entry(make_row("a", "p", record)), entry(make_row("b", "p", params={"image": [url]}))])
    assert "SECRET" not in made
    assert made.count("https://cdn.test/assets/a.png") == 4


def test_text_around_a_url_stays() -> None:
    assert without_signature("see https://a.test/x?s=1, or (http://b.test/y#z)") == (
        "see https://a.test/x or (http://b.test/y"
    )


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_money_is_written_as_it_is(amount: Decimal) -> None:
    assert json.loads(json.dumps(number(amount)), parse_float=Decimal) == amount


def test_whole_units_have_no_point() -> None:
    assert json.dumps([number(Decimal("7.00")), number(Decimal("7.25")), number(None)]) == "[7, 7.25, null]"


def test_sums_have_no_noise(make_row: Callable[..., Row]) -> None:
    paid = [
        make_row(
            str(at),
            "p",
            Record(submissions=(Submission(remote_id="j", attempt=1, at=0, charged=Decimal("0.1")),)),
        )
        for at in range(3)
    ]
    made = Results(batch="b", manifest_path="m", manifest_sha256="", rows=paid, written_at=0)
    assert results_document(made)["summary"]["cost"] == {
        "quoted": None,
        "charged": 0.3,
        "refunded": None,
        "net": 0.3,
        "refunds": {"assumed": None, "confirmed": None},
    }


def test_stamps_are_utc_in_milliseconds() -> None:
    assert moment(1_790_000_000.25) == "2026-09-21T14:13:20.250Z"
    assert moment(0.0) == "1970-01-01T00:00:00.000Z"
    assert moment(None) is None


texts = st.text(st.characters(exclude_categories=()), max_size=6)
jobs = st.builds(
    Job, id=texts, prompt=texts, model=texts, params=st.dictionaries(texts, st.integers() | texts)
)
records = st.builds(
    Record,
    state=st.sampled_from(State),
    asset_ids=st.lists(texts, max_size=3).map(tuple),
    quoted=st.none() | st.decimals(0, 1000, places=2),
    error=texts,
)
rows = st.lists(st.builds(Row, job=jobs, key=st.just(JobKey("v1:x")), record=st.none() | records), max_size=8)


@given(rows, rows)
def test_the_text_reads_back_as_the_document(kept: list[Row], removed: list[Row]) -> None:
    made = Results(
        batch="b", manifest_path="m", manifest_sha256="", rows=kept, removed=removed, written_at=1.0
    )
    document = whole(made)
    assert json.loads(b"".join(results_json(made))) == document
    assert ("removed" in document) is bool(removed)


@given(rows)
def test_prompts_hold_every_asset_once_in_order(kept: list[Row]) -> None:
    found = prompts(kept)
    assert set(found) == {row.job.prompt for row in kept}
    for prompt, assets in found.items():
        same = [row for row in kept if row.job.prompt == prompt]
        assert assets == [one for row in same for one in (row.record.asset_ids if row.record else ())]


@pytest.mark.parametrize(
    ("refunds", "word"),
    [
        ([Refund.NONE], None),
        ([Refund.NONE, Refund.CONFIRMED], "confirmed"),
        ([Refund.CONFIRMED, Refund.ASSUMED], "assumed"),
    ],
)
def test_a_refund_is_told_with_the_weakest_word_that_is_true_of_it(
    make_row: Callable[..., Row], refunds: list[Refund], word: str | None
) -> None:
    paid = tuple(
        Submission(
            remote_id=str(n), attempt=n, at=0, charged=Decimal("7.25"), refund=one, refunded=Decimal(0)
        )
        for n, one in enumerate(refunds, start=1)
    )
    assert entry(make_row("a", "p", Record(submissions=paid)))["cost"].get("refund") == word


def test_sums_tell_what_was_charged_what_came_back_and_what_is_left(make_row: Callable[..., Row]) -> None:
    told = [("7.25", Refund.ASSUMED, "7.25"), ("7.25", Refund.CONFIRMED, "1.25"), ("0.1", Refund.NONE, "0")]
    rows = [make_row(str(n), "p", Record(submissions=(_paid(str(n), *one),))) for n, one in enumerate(told)]
    made = Results(batch="b", manifest_path="m", manifest_sha256="", rows=rows, written_at=0)
    assert results_document(made)["summary"]["cost"] == {
        "quoted": None,
        "charged": 14.6,
        "refunded": 8.5,
        "net": 6.1,
        "refunds": {"assumed": 7.25, "confirmed": 1.25},
    }


def test_charges_that_nobody_told_are_counted_beside_the_sums(
    make_row: Callable[..., Row], tmp_path: Path
) -> None:
    untold = Submission(remote_id="0", attempt=1, at=0, charged=None)
    told = _paid("1", "7.25", Refund.NONE, "0")
    rows = [
        make_row("a", "p", Record(submissions=(untold,))),
        make_row("b", "p", Record(submissions=(told,))),
    ]
    made = Results(batch="b", manifest_path="m", manifest_sha256="", rows=rows, written_at=0)
    document = results_document(made)
    assert (document["summary"]["cost"]["charged"], document["summary"]["cost"]["untold"]) == (7.25, 1)
    assert [one["cost"].get("untold") for one in document["jobs"]] == [1, None]
    (model,) = lay_out(document, 1).costs["model"]
    assert (model.charged, model.net) == ("7.25 + 1 not told", "7.25 + 1 not told")
    assert "<dd>7.25 + 1 not told</dd>" in write_report(tmp_path, document).read_text(encoding="utf-8")


def _paid(remote_id: str, charged: str, refund: Refund, refunded: str) -> Submission:
    amount, back = Decimal(charged), Decimal(refunded)
    return Submission(remote_id=remote_id, attempt=1, at=0, charged=amount, refund=refund, refunded=back)
