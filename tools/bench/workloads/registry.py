"""What a workload is, and the list of them."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Setup:
    """What a workload needs to know of the command line."""

    mnist_dir: str | None = None
    check: bool = False


class Skip(Exception):
    """Something from outside is missing."""


@dataclass
class Workload:
    name: str
    group: int
    # Gives a step, or several by name: then the fastest counts.
    prepare: Callable
    # Its peak of memory is of interest, so it is timed in a process of its own.
    peak: bool = False
    # A network so small that the library's own work counts.
    tiny: bool = False


ALL: dict[str, Workload] = {}


def add(group, name, prepare, **options):
    ALL[name] = Workload(name, group, prepare, **options)


def workload(group, name, **options):
    """Registers a function that takes a Setup."""

    def register(prepare):
        add(group, name, prepare, **options)
        return prepare

    return register
