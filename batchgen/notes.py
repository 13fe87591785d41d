"""What is learnt of a job later and moves it nowhere: refunds, charges and prices, as facts.

Class names and fields are on disk: renaming one is a new version of the journal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar

from batchgen.errors import TransitionError
from batchgen.events import Event
from batchgen.model import Refund, Submission
from batchgen.record import DONE, IN_FLIGHT, UNANSWERED, Record, State


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundShown(Event):
    """The service's history shows that a charge came back; the job stays where it stands.

    Attributes:
        remote_id: of a submission of this job that has ended, of whatever attempt.
        refunded: all that came back of it by what is shown, compute units.
    """

    remote_id: str
    refunded: Decimal

    def changes(self, record: Record) -> dict[str, Any]:
        """Say of the submission that it is confirmed, never more than it was charged.

        Raises:
            TransitionError: the job has no such submission, or it has not ended: its end would say
                otherwise.
        """
        _refuse_unended(record, self.remote_id, "a refund")
        return {"submissions": tuple(map(self._confirmed, record.submissions))}

    def _confirmed(self, paid: Submission) -> Submission:
        if paid.remote_id != self.remote_id:
            return paid
        known = paid.refunded if paid.refund is Refund.CONFIRMED else None
        back = max(self.refunded, known or Decimal(0))
        most = back if paid.charged is None else min(back, paid.charged)
        return replace(paid, refund=Refund.CONFIRMED, refunded=most)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeShown(Event):
    """The service's history shows what a submission was charged; the job stays where it stands.

    Attributes:
        remote_id: of a submission of this job that has ended, of whatever attempt.
        charged: all that was taken for it, compute units.
    """

    remote_id: str
    charged: Decimal

    def changes(self, record: Record) -> dict[str, Any]:
        """Put the service's last word in place of all that was said before.

        Raises:
            TransitionError: the job has no such submission, or it has not ended.
        """
        _refuse_unended(record, self.remote_id, "a charge")
        return {"submissions": tuple(map(self._corrected, record.submissions))}

    def _corrected(self, paid: Submission) -> Submission:
        if paid.remote_id != self.remote_id:
            return paid
        back = paid.refunded
        if back is not None:
            is_all = paid.refund is not Refund.NONE and back == paid.charged
            back = self.charged if is_all else min(back, self.charged)
        return replace(paid, charged=self.charged, refunded=back, by_row=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceLearnt(Event):
    """What a body that may have been paid for may have cost became known: it is held from now on.

    Attributes:
        reserved: compute units.
    """

    reserved: Decimal

    def changes(self, record: Record) -> dict[str, Any]:
        """Hold it, for the body without an answer or for the submission without a charge.

        Raises:
            TransitionError: there is neither, or something is held already.
        """
        if record.state in UNANSWERED and record.submission is None and record.reserved is None:
            return {"reserved": self.reserved}
        paid = record.submission
        if paid is None or paid.charged is not None or paid.reserved is not None:
            raise TransitionError("a price to hold, where nothing waits for one")
        return {"submissions": (*record.submissions[:-1], replace(paid, reserved=self.reserved))}


def _refuse_unended(record: Record, remote_id: str, what: str) -> None:
    under_way = record.remote_id if record.state in IN_FLIGHT else None
    if remote_id == under_way or remote_id not in {one.remote_id for one in record.submissions}:
        raise TransitionError(f"{what} of {remote_id}, which is no submission that has ended")


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputsGrew(Event):
    """The service shows assets of a success that it did not show before; the job stays where it stands.

    Attributes:
        remote_id: of the submission that succeeded.
        asset_ids: all that it shows by now, in its order.
    """

    remote_id: str
    asset_ids: tuple[str, ...]

    def changes(self, record: Record) -> dict[str, Any]:
        """Add what is new behind what is there, in the service's order: an asset's number stays what it was.

        Raises:
            TransitionError: the job has not succeeded by this submission, or there is nothing new.
        """
        if record.state not in DONE or self.remote_id != record.remote_id:
            raise TransitionError(f"outputs of {self.remote_id}, which is not what succeeded")
        new = tuple(one for one in self.asset_ids if one not in record.asset_ids)
        if not new:
            raise TransitionError(f"{self.remote_id} shows no asset that is not on record")
        to_fetch = (*record.grown, *new) if record.state is State.COLLECTED else ()
        return {"asset_ids": (*record.asset_ids, *new), "grown": to_fetch}


@dataclass(frozen=True, kw_only=True, slots=True)
class AssetsGone(Event):
    """Assets are neither on the disk nor at the service any more; nobody asks for them again.

    Attributes:
        asset_ids: which.
    """

    asset_ids: tuple[str, ...]

    def changes(self, record: Record) -> dict[str, Any]:
        """Name them; what became of them stays on record.

        Raises:
            TransitionError: the job has not succeeded, or they are not its assets.
        """
        if record.state not in DONE or not set(self.asset_ids) <= set(record.asset_ids):
            raise TransitionError(f"{', '.join(self.asset_ids)}: not what the job gave")
        gone = tuple(dict.fromkeys((*record.gone, *self.asset_ids)))
        return {"gone": gone, "grown": tuple(one for one in record.grown if one not in gone)}


@dataclass(frozen=True, kw_only=True, slots=True)
class FilesMoved(Event):
    """Files of a job have another name on the disk; the job stays where it stands.

    Attributes:
        paths: where each lies now, by asset id: relative to the batch's folder, with forward slashes.
    """

    paths: Mapping[str, str]

    def changes(self, record: Record) -> dict[str, Any]:
        """Change the paths; bytes and hashes stay.

        Raises:
            TransitionError: they are not the files of a success.
        """
        if record.state not in DONE or not set(self.paths) <= {one.asset_id for one in record.files}:
            raise TransitionError(f"{', '.join(self.paths)}: no files of the job")
        return {
            "files": tuple(
                replace(one, path=self.paths[one.asset_id]) if one.asset_id in self.paths else one
                for one in record.files
            )
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebound(Event):
    """Another asset goes into a job whose body the service has never had; it waits as before.

    Its parent's asset was gone, and was sent again.
    """

    def changes(self, record: Record) -> dict[str, Any]:
        """Take the body away: the next intent has one with what goes in now.

        Raises:
            TransitionError: there is no body, or it may have been paid for: then it stays what it is.
        """
        if record.state is not State.PLANNED or record.body is None or record.absences:
            raise TransitionError("another input for a body that is not there, or may have been paid for")
        return {"body": None, "seed": None, "quoted": None, "reserved": None, "intent_at": None}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Chosen(Event):
    """Another edition is to be the job's own; what was bought first keeps the order of them all.

    Attributes:
        ordinal: of that edition's key.
    """

    DURABLE: ClassVar[bool] = True

    ordinal: int

    def changes(self, record: Record) -> dict[str, Any]:
        """Put it last.

        Raises:
            TransitionError: the job has nothing yet.
        """
        if record.state not in DONE:
            raise TransitionError(f"another edition of a job that is {record.state}")
        return {"editions": (*record.editions, self.ordinal)}


@dataclass(frozen=True, kw_only=True, slots=True)
class RedoAsked(_Chosen):
    """A person wants another one of the same: an edition that nothing is on record of."""

    def changes(self, record: Record) -> dict[str, Any]:
        """Put it last.

        Raises:
            TransitionError: it was asked for before, or the job has nothing yet.
        """
        if self.ordinal in record.editions:
            raise TransitionError(f"edition {self.ordinal} was asked for before")
        return _Chosen.changes(self, record)


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored(_Chosen):
    """A person wants an edition back that the job has had."""
