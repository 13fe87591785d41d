"""Whose a row is: one answer, with its reason, for whoever asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.account import DISOWNED, Holder, Known
from batchgen.model import JobKey, Scope
from batchgen.reconcile.ownership import Owner, Ownership, owner_by_author, owner_of
from tests.support.builders import make_remote_job

HERE = Scope(origin="http://127.0.0.1/v1", project="", batch="spring", slot="2026-01-01")
AUTHORS = st.sampled_from(["", "apiu_us", "apiu_them", "user_us", "user_them"])


@pytest.mark.parametrize(
    ("author", "authors", "owner"),
    [
        ("apiu_us", {"apiu_us"}, Owner.OURS),
        ("user_us", {"user_us"}, Owner.OURS),
        ("apiu_them", {"apiu_us"}, Owner.OTHERS),
        ("user_them", {"apiu_us"}, Owner.MAYBE_OURS),
        ("user_them", {"user_us"}, Owner.OTHERS),
        ("", {"apiu_us"}, Owner.MAYBE_OURS),
        ("apiu_us", set(), Owner.MAYBE_OURS),
        ("user_us", set(), Owner.MAYBE_OURS),
        ("", set(), Owner.MAYBE_OURS),
    ],
)
def test_a_row_without_a_record_is_ours_by_its_author(author: str, authors: set[str], owner: Owner) -> None:
    assert owner_of(make_remote_job(author=author), Known(receipts=frozenset(authors))).owner is owner


def test_a_row_by_us_of_a_type_that_we_are_not_known_to_have_is_unusual() -> None:
    row, us = make_remote_job(job_type="inference"), Known(frozenset({"apiu_us"}))
    found = owner_of(row, us)
    assert (found.owner, found.unusual, found.decisive) == (Owner.OURS, True, False)
    assert not owner_of(row, us, types={"inference"}).unusual


def test_once_our_rows_were_seen_an_author_they_do_not_have_is_another() -> None:
    before = Known(receipts=frozenset({"apiu_us"}))
    after = Known(receipts=frozenset({"apiu_us"}), rows=frozenset({"user_us"}))
    assert [owner_by_author("user_them", one).owner for one in (before, after)] == [
        Owner.MAYBE_OURS,
        Owner.OTHERS,
    ]
    assert [owner_by_author("user_us", one).decisive for one in (before, after)] == [False, True]


@pytest.mark.parametrize("author", ["apiu_them", "user_them"])
def test_who_an_upload_is_by_makes_rows_ours_and_none_anothers(author: str) -> None:
    uploaded = Known(uploads=frozenset({"apiu_up"}))
    named, other = owner_by_author("apiu_up", uploaded), owner_by_author(author, uploaded)
    assert (named.owner, named.decisive) == (Owner.OURS, True)
    assert (other.owner, other.decisive) == (Owner.MAYBE_OURS, False)
    told = uploaded._replace(receipts=frozenset({"apiu_us"}))
    assert owner_by_author("apiu_them", told).owner is Owner.OTHERS


def test_a_record_of_any_batch_makes_it_ours_and_no_longer_free() -> None:
    found = owner_of(
        make_remote_job(author="user_them", job_type="upload"),
        Known(frozenset({"apiu_us"})),
        holder=Holder(HERE, JobKey("v1:a")),
    )
    assert (found.owner, found.reason) == (Owner.OURS, "recorded in batch spring, slot 2026-01-01")
    assert not found.is_free


def test_what_a_person_disowned_is_not_ours() -> None:
    found = owner_of(make_remote_job(), Known(frozenset({"apiu_us"})), holder=DISOWNED)
    assert (found.owner, found.is_free) == (Owner.OTHERS, False)


def test_who_we_are_is_undecided_only_where_an_author_is_shown_and_no_receipt_has_one() -> None:
    assert not owner_by_author("apiu_us", Known()).decisive
    assert owner_by_author("", Known()).decisive
    assert owner_by_author("apiu_us", Known(frozenset({"apiu_us"}))).decisive


@given(AUTHORS, st.frozensets(AUTHORS.filter(bool)), st.sampled_from(["custom", "", "upload", "workflow"]))
def test_every_row_has_an_owner_and_a_reason(author: str, authors: frozenset[str], job_type: str) -> None:
    row = make_remote_job(author=author, job_type=job_type)
    found: Ownership = owner_of(row, Known(receipts=frozenset(authors)))
    assert found.reason
    assert found.is_free is (found.owner is not Owner.OTHERS)
