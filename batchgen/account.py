"""Who is who: whose record a submission belongs to, and who a key is in the service's eyes."""

from typing import NamedTuple

from batchgen.model import JobKey, Scope


class Holder(NamedTuple):
    """What a journal knows of a submission's id.

    Attributes:
        scope: whose record has it; None where a person said that it is no job of ours.
        key: the job's; None likewise.
    """

    scope: Scope | None = None
    key: JobKey | None = None


DISOWNED = Holder()


class Known(NamedTuple):
    """Who one API key is in the service's eyes, as far as it has said.

    Attributes:
        receipts: by answers to what the key sent.
        rows: by listed rows of submissions whose id came from such an answer: some services show
            another name there.
        is_all: False where a key of ours may have another name that is not among these.
        uploads: by answers to what it uploaded: jobs by these are ours, and jobs by others may be so too.
    """

    receipts: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()
    is_all: bool = True
    uploads: frozenset[str] = frozenset()

    @property
    def ours(self) -> frozenset[str]:
        """All the names of which it is known that they are the key's."""
        return self.receipts | self.rows | self.uploads

    def and_also(self, other: "Known") -> "Known":
        """Return what both know."""
        return self._replace(
            receipts=self.receipts | other.receipts,
            rows=self.rows | other.rows,
            uploads=self.uploads | other.uploads,
        )


class Identity(NamedTuple):
    """Who the key is that asks, as the service says of something that it sent.

    Attributes:
        author: empty where it does not say.
        owner: the project or team; empty likewise.
    """

    author: str
    owner: str
