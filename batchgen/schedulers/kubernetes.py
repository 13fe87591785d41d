"""A CronJob of Kubernetes with the volume that it needs. Pure."""

import re
import shlex

from batchgen.errors import InputError
from batchgen.exits import Exit
from batchgen.schedulers.cron_times import CronTimes
from batchgen.schedulers.nightly import MADE_UP_FOR, Nightly, commented
from batchgen.schedulers.quoting import in_pod, in_yaml

USER = 10001  # of the image: see the Dockerfile
_MOUNT = "/manifest"
_OUTPUT = "/output"


def manifests(nightly: Nightly, image: str) -> str:
    """Write the volume and the CronJob, with what to do with them as comments.

    Args:
        nightly: what is to run.
        image: which holds batchgen.

    Raises:
        InputError: Kubernetes would read these times otherwise than cron does.
    """
    name = nightly.name
    file = nightly.manifest.rpartition("/")[2]
    if ":" in file:
        raise InputError(f"{file}: Kubernetes mounts no file with a colon in its name: rename it")
    run = nightly.run((), f"{_MOUNT}/{file}", _OUTPUT)
    args = "\n".join(f"                - {in_pod(one)}" for one in run)
    return f"""{commented([*nightly.heading(), "", *_steps(nightly)])}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {name}
spec:
  # {_what_it_holds(nightly)}
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 10Gi
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {name}
spec:
  schedule: {in_yaml(schedule(nightly.times))}
  timeZone: {in_yaml(nightly.zone)}
  # a second run of a batch would end with {Exit.LOCKED:d}
  concurrencyPolicy: Forbid
  # a time that was missed is made up for within six hours
  startingDeadlineSeconds: {MADE_UP_FOR}
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 7
  jobTemplate:
    spec:
      # {_again(nightly)} and a pod that was killed: the same
      # command again, after pauses that grow
      backoffLimit: 6
      podFailurePolicy:
        rules:
          - action: Ignore
            onPodConditions:
              - type: DisruptionTarget
                status: "True"
          # all others say that the same command would come to the same
          - action: FailJob
            onExitCodes:
              containerName: batchgen
              operator: In
              values: [{", ".join(str(int(one)) for one in nightly.final)}]
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          # SIGTERM: it buys no more, and collects what is paid for, for {nightly.drain} seconds
          terminationGracePeriodSeconds: {nightly.seconds_to_stop}
          securityContext:
            runAsNonRoot: true
            runAsUser: {USER}
            runAsGroup: {USER}
            fsGroup: {USER}
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: batchgen
              image: {in_yaml(image)}
              args:
{args}
              envFrom:
                - secretRef:
                    name: {name}
              resources:
                requests: {{cpu: 100m, memory: 256Mi}}
                limits: {{memory: 1Gi}}
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: [ALL]
              volumeMounts:
                # a file by itself: in a whole ConfigMap its path would change with each change
                - name: manifest
                  mountPath: {in_yaml(f"{_MOUNT}/{file}")}
                  subPath: jobs.yaml
                  readOnly: true
                - {{name: output, mountPath: {_OUTPUT}}}
                - {{name: tmp, mountPath: /tmp}}
          volumes:
            - name: manifest
              configMap:
                name: {name}
            - name: output
              persistentVolumeClaim:
                claimName: {name}
            - name: tmp
              emptyDir: {{}}
"""


def _what_it_holds(nightly: Nightly) -> str:
    if "--journal" in nightly.words:
        return "what comes out; the journal is in a database, whose password goes to the key (PGPASSWORD)"
    return "the journal and what comes out: on block storage; the journal refuses the locks of a file share"


def _again(nightly: Nightly) -> str:
    """Return after which exit statuses the same command is given again, in words."""
    locked = f"{Exit.LOCKED:d} (another run)"
    return locked if Exit.REMAINS in nightly.final else f"{locked}, {Exit.REMAINS:d} (work remains)"


def _steps(nightly: Nightly) -> list[str]:
    name, manifest = nightly.name, shlex.quote(nightly.manifest)
    applied = "--dry-run=client -o yaml | kubectl apply -f -"
    return [
        "To install:",
        "1. Build the image from the Dockerfile (docs/operations.md), push it, and name it with --image.",
        "2. The key, from a file with SCENARIO_SDK_API_KEY=... and SCENARIO_SDK_API_SECRET=..., a line each,",
        "   without quotes, which kubectl takes for a part of the value:",
        f"     kubectl create secret generic {name} --from-env-file=.env {applied}",
        "3. The manifest, and the same again whenever it changes:",
        f"     kubectl create configmap {name} --from-file=jobs.yaml={manifest} {applied}",
        "   A ConfigMap holds the manifest alone, up to 1 MiB. What it names (tables, pictures) has",
        f"   to be in the image, below {_MOUNT}, or on a volume of their own there.",
        f"4. kubectl apply -f {name}.yaml",
        f"To try it now: kubectl create job --from=cronjob/{name} {name}-try",
        "Each exit status has a reaction in docs/operations.md.",
    ]


def schedule(times: CronTimes) -> str:
    """Return the times for Kubernetes, which knows no 7 for Sunday.

    Raises:
        InputError: it would take either day for enough where cron wants both. source: robfig/cron, by which
            it reads a schedule, counts a star with a step as a restriction
    """
    minute, hour, day, month, weekday = times.text.split()
    starred = [one for one in (day, weekday) if one.startswith("*")]
    if "*" not in (day, weekday) and starred:
        raise InputError(
            f'--at "{times.text}": cron wants both to fit, the day of the month "{day}" and that of '
            f'the week "{weekday}"; Kubernetes would take either. Write one of them as *, or use --systemd'
        )
    if re.search(r"(?<!/)\b7\b", weekday):
        weekday = ",".join(map(str, sorted(times.weekdays)))
    return f"{minute} {hour} {day} {month} {weekday}"
