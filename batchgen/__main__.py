"""The way in: words of the command line to an exit status."""

import gc
import sys

# A manifest of a hundred thousand jobs makes millions of values that stay: looking for cycles among
# all of them whenever they are a quarter more, as is the default, takes a tenth of a plan's time.
COLLECTIONS = (20_000, 20, 100)


_INTERRUPTED = 130  # exits.Exit has it too, and is not loaded yet


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        status = _status()
    except KeyboardInterrupt:  # while libraries are loaded, or after all was done
        status = _INTERRUPTED
    gc.freeze()  # all of it goes with the process: to look for cycles among it first takes a tenth of a start
    sys.exit(status)


def _status() -> int:
    gc.set_threshold(*COLLECTIONS)
    from batchgen.cli import streams  # noqa: PLC0415 - the import is part of the start-up time

    streams.guard()  # before anything is opened: a closed stream leaves its number to the next file
    from batchgen.cli.main import run  # noqa: PLC0415 - as above

    return streams.ended(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
