"""What each key of a manifest is for, in a line: an editor shows it beside the key.

By the class that reads the mapping, then by the key as it is written. A key without a line here is
an error where the schema is made.
"""

from collections.abc import Mapping

_PARAMS = "Further inputs of the model, by the names the model gives them; batchgen models ID lists them."
_MODEL = "The service's id of a model, or a list: every job is made for each of them."
_REPEAT = "How many times each job is made, each with a seed of its own."
_SEED = "none leaves the seed to the service; one is derived for each job otherwise."
_TAGS = "Words that jobs are found by. No part of a job's identity."
_UNCHECKED = "Inputs that are not held against what the model declares."

WORDS: Mapping[str, Mapping[str, str]] = {
    "ManifestText": {
        "version": "The version of this format: 1.",
        "jobs": "What to generate.",
        "batch": "Names the folder under output/. Default: the file's own name.",
        "project": "The service's projectId; not needed for a key that belongs to one project.",
        "include": "Other manifests whose jobs are taken in.",
        "vars": "Variables for all templates.",
        "defaults": "What a job takes where it says nothing itself.",
        "limits": "How hard the service may be asked.",
        "timeout": "How long one generation may take, such as 45m.",
        "doubt": "How jobs are settled whose answer was lost.",
        "retry": "How often a failed generation is tried; each try is paid for anew.",
        "budget": "What may be spent, in compute units.",
        "output": "What is written beside the results.",
        "period": "day, week or a name: every period is bought anew, and none twice.",
        "tz": "The time zone in which a day begins, such as Europe/Paris.",
    },
    "JobText": {
        "prompt": "What to generate, one or a list. {name} is filled in by a variable, {{ is a brace.",
        "id": "The job's name in results and files; made of the prompt where none is given.",
        "model": _MODEL,
        "params": _PARAMS,
        "matrix": "Axes: a job is made for every combination of their values.",
        "zip": "Axes of equal length whose values go together: the first with the first, and so on.",
        "exclude": "Combinations that are left out.",
        "include": "Combinations that are made beside the others.",
        "from": "A .csv, .jsonl, .txt or .yaml file: a job for every row, its columns as variables.",
        "repeat": _REPEAT,
        "seed": _SEED,
        "tags": _TAGS,
        "unchecked": _UNCHECKED,
    },
    "DefaultsText": {
        "model": _MODEL,
        "params": _PARAMS,
        "repeat": _REPEAT,
        "seed": _SEED,
        "tags": _TAGS,
        "unchecked": _UNCHECKED,
    },
    "LimitsText": {
        "rate": "Requests to the service, such as 100/min, 5/s or 6000/h.",
        "in_flight": "The most jobs at the service at once; auto finds out what it takes.",
    },
    "DoubtText": {
        "then": "resubmit sends again what the service demonstrably does not have; hold leaves it to you.",
        "settle": "How long after the loss a listing counts, such as 60s.",
        "settle_max": "How long to wait for proof that the listing would show the job, such as 10m.",
    },
    "RetryText": {"attempts": "In all, the first one included."},
    "BudgetText": {
        "total": "For everything of the batch, over all its runs.",
        "per_job": "For one try at one job; a dearer one is not bought.",
        "per_day": "For everything in the journal, from midnight.",
        "per_month": "For everything in the journal, from the first of the month.",
        "trust_refunds": "Whether refunds that the service's rules promise are counted as money back.",
    },
    "OutputText": {
        "download": "Whether the files are fetched.",
        "files": "Their names, without the type, of {id}, {index} and {asset_id}.",
    },
    "AxisText": {
        "of": "All the values.",
        "sample": "How many of them are taken; which ones stays the same.",
    },
    "PromptFile": {"file": "The path of a text file, from the manifest's folder."},
}
