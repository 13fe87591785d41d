"""A plan as one JSON document: the same facts as its lines for people."""

from batchgen import api
from batchgen.cli.plan_chains import chains_document
from batchgen.formats import moment, number


def document(preview: "api.Preview") -> dict[str, object]:
    """Return the whole plan."""
    batch, outlook, found = preview.batch, preview.outlook, preview.found
    quoted, account = outlook.quoted, outlook.account
    elsewhere = found.beside[0] if found.beside else None
    plan = batch.plan.asked
    return {
        "batch": batch.manifest.batch,
        "slot": batch.scope.slot or None,
        "origin": batch.scope.origin,
        "counts": {str(standing): count for standing, count in plan.counts().items()},
        "to_submit": len(plan.to_submit),
        "selected": None
        if batch.plan.shown is batch.plan
        else {"jobs": len(batch.plan.shown.entries), "of": len(batch.plan.entries)},
        "undecided": [one.job for one in batch.undecided_now],
        "along": [one.job.id for one in batch.plan.along],
        "chains": chains_document(preview),
        "previews": batch.manifest.previews,
        "entries": [
            {
                "preview": one.preview,
                "counts": {str(standing): count for standing, count in one.counts.items()},
                "cost": _range(one.cost),
                "unpriced": one.unpriced,
                "estimated": _estimated(one.estimated),
            }
            for one in outlook.entries
        ],
        "cost": {
            "low": number(quoted.total_low),
            "high": number(quoted.total_high),
            "unpriced": quoted.unknown,
            "estimated": _estimated(quoted.estimated),
            "questions": quoted.asked,
            "classes": [_class(one) for one in quoted.classes],
        },
        "balance": None if account is None else number(account.left),
        "expected": {"seconds": outlook.forecast.seconds, "at_once": outlook.forecast.at_once},
        "not_recognisable": outlook.unrecognisable,
        "jobs": [
            {
                "id": one.job.id,
                "model": one.job.model,
                "prompt": one.job.prompt,
                "standing": one.standing,
                "accepted": one.accepted,
                "lane": _lane(preview, place, one),
                "waits_for": [parent.job.id for parent in plan.waits_for(place)],
            }
            for place, one in enumerate(plan.entries)
        ],
        "changed": [_changed(one, outlook) for one in outlook.changed],
        "changes": _changes(outlook),
        "caps": _caps(outlook.fit),
        "fits": _fits(outlook.fit),
        "stopped": found.stopped or None,
        "goes_on_in": [{"origin": one.origin, "project": one.project or None} for one in found.joined[:1]],
        "done_elsewhere": None
        if elsewhere is None
        else {
            "batch": elsewhere.batch,
            "jobs": elsewhere.jobs,
            "open": elsewhere.open,
            "charged": float(elsewhere.charged),
            "manifest_is_gone": elsewhere.is_gone,
        },
        "removed": [{"id": one.job.id, "standing": one.standing} for one in plan.removed],
        "closed": dict(quoted.closed),
        "files": {"renamed": preview.files.renamed, "to_earlier": preview.files.to_earlier},
        "other_slots": list(preview.slots.notes),
        "without_limit": _without_limit(preview),
        "rest": _rest(preview),
        "warnings": api.problems_document(preview.warnings),
    }


def _lane(preview: "api.Preview", place: int, entry: "api.Entry") -> str | None:
    """Return how a job that is not bought stands to its parents; None where it is bought, or has none."""
    plan = preview.batch.plan.asked
    is_child = place in plan.lineage.parents and entry.record.state is api.State.PLANNED
    return str(plan.lane_of(place)) if is_child else None


def _without_limit(preview: "api.Preview") -> dict[str, object] | None:
    if preview.whole is None:
        return None
    jobs, quoted = preview.whole
    return {
        "jobs": jobs,
        "low": number(quoted.total_low),
        "high": number(quoted.total_high),
        "unpriced": quoted.unknown,
        "estimated": _estimated(quoted.estimated),
    }


def _rest(preview: "api.Preview") -> dict[str, object] | None:
    """Return the jobs that are left out as asked, and what they would cost."""
    rest = preview.rest
    if rest is None:
        return None
    estimated = _estimated(rest.estimated)
    return {"jobs": rest.jobs, **_range(rest.cost), "unpriced": rest.unpriced, "estimated": estimated}


def _changes(outlook: "api.Outlook") -> dict[str, object]:
    """Return what is changed alike, and what looks like a job of another id."""
    return {
        "groups": [_group(one) for one in api.changed_alike((*outlook.changed, *outlook.moved))],
        "moved": [{"before": one.before.job.id, "after": one.entry.job.id} for one in outlook.moved],
        "renamed": [{"before": old, "after": new} for old, new in outlook.renamed],
    }


def _group(group: "api.ChangedAlike") -> dict[str, object]:
    return {
        "jobs": [one.entry.job.id for one in group.members],
        "differences": [_difference(part) for part in group.parts],
    }


def _difference(part: "api.Change") -> dict[str, object]:
    """Return one input that differs in the same way in all jobs of a group; of texts the words that do."""
    if api.is_text_change(part):
        words = [{"gone": one.gone, "new": one.new} for one in api.text_edits(part)]
        return {"input": part.name, "kind": "words", "words": words}
    before, after = api.as_said(part.before), api.as_said(part.after)
    return {"input": part.name, "kind": _kind(part), "before": before, "after": after}


def _kind(part: "api.Change") -> str:
    if part.added or part.dropped:
        return "added" if part.added else "dropped"
    both = (part.before, part.after)
    return "file" if all(map(api.is_file, both)) else "job" if all(map(api.is_reference, both)) else "value"


def _caps(fit: "api.Fit") -> list[dict[str, object]]:
    return [
        {
            "key": one.window.key,
            "cap": number(one.window.cap),
            "used": number(one.used),
            "needed": number(one.needed),
            "fits": one.fits,
            "until": moment(one.window.until),
        }
        for one in fit.caps
    ]


def _fits(fit: "api.Fit") -> dict[str, object]:
    binding = fit.binding
    return {
        "jobs": fit.fits,
        "of": fit.jobs,
        "cost": number(fit.cost),
        "binding": None if binding is None else binding.window.key,
        "per_job": number(fit.per_job),
        "above_per_job": fit.dear,
        "unpriced": fit.unpriced,
        "write": fit.lines or None,
        "warnings": list(fit.warnings()),
    }


def _class(one: "api.QuotedClass") -> dict[str, object]:
    return {
        "model": one.model,
        "inputs": one.moving,
        "jobs": one.jobs,
        "each": None if one.price is None else _range(one.price),
        "quoted": one.is_quote,
        "estimate": one.is_estimate,
        "note": one.note or None,
    }


def _changed(one: "api.Changed", outlook: "api.Outlook") -> dict[str, object]:
    return {
        "id": one.entry.job.id,
        "inputs": {change.name: {"before": change.before, "after": change.after} for change in one.changes},
        "cost": number(outlook.quoted.price(one.entry.job)),
        "charged_before": number(one.before.record.charged),
    }


def _estimated(part: "api.Estimated") -> dict[str, object]:
    """Return the part of a cost that is an estimate; low and high of the whole have it in them."""
    return {"jobs": part.jobs, **_range(part.price)}


def _range(price: "api.Price") -> dict[str, object]:
    return {"low": number(price.low), "high": number(price.high)}
