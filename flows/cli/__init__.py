"""The command line `didww-async`: buy numbers, settle what is open, look at what is on sale.

It needs the extra `cli`. What it exits with:

    0    done: bought, settled, canceled, or listed
    1    an unexpected failure
    2    bad input: options, a missing key, a file that can't be the journal
    3    nothing fits, or several do; candidates are listed
    4    refused, nothing bought: price limit, balance, stock, DIDWW's refusal
    5    ordered, but not complete: still pending, or numbers still missing
    6    outcome unknown: it may be bought; the reference is printed
    7    DIDWW or the journal can't be reached, or DIDWW does not let this key in
    8    batch, resume: some are bought, others surely not; it says why
    130  interrupted or declined; what is known is printed
"""

import importlib.util
import os
import sys

__all__ = ["main"]

EXTRA = ("cyclopts", "rich", "questionary", "platformdirs")
INSTALL = "didww-async needs its extra 'cli': pip install 'didww-async[cli]'"


def main() -> int:
    """Run the command line with the process's arguments and return the exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us: nobody reads
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the end
    try:
        if any(importlib.util.find_spec(name) is None for name in EXTRA):
            sys.stderr.write(f"{INSTALL}\n")
            return 2
        from flows.cli.app import run  # noqa: PLC0415 - not before it is known to be installed

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # before there is anything to interrupt with care
        sys.stderr.write("Interrupted.\n")
        return 130
