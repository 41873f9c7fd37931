"""Whether the indexes answer."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from envmgr.errors import EnvmgrError
from envmgr.events import Reporter
from envmgr.index.access import access_from
from envmgr.index.addresses import file_path, is_file
from envmgr.index.clock import SYSTEM_CLOCK
from envmgr.index.network import Network
from envmgr.index.pages import ACCEPT
from envmgr.index.remote import ABSENT
from envmgr.pipeline.health.complaints import Complaint, problem
from envmgr.pipeline.health.entries import explain
from envmgr.spec.indexes import IndexSpec

_ASKED = "packaging"
"""A name whose page is small; whether an index has it does not matter."""


def check_indexes(
    indexes: Iterable[IndexSpec], environ: Mapping[str, str], report: Reporter
) -> Iterator[Complaint]:
    """Ask every index for one page, and nothing is kept of it."""
    ordered = tuple(dict.fromkeys(indexes))
    network = Network(
        access_from(environ, ordered), offline=False, clock=SYSTEM_CLOCK, report=report
    )
    try:
        for index in ordered:
            yield from _check(index, network)
    finally:
        network.close()


def _check(index: IndexSpec, network: Network) -> Iterator[Complaint]:
    named = f"the index {index.name} ({index.shown_url})"
    if is_file(index.url):
        if not Path(file_path(index.url)).is_dir():
            message = f"{named} is a directory that is not there"
            yield problem("index", index.name, message, "mount it, or change `indexes`")
        return
    url = f"{index.url.rstrip('/')}/{_ASKED}/"
    try:
        client = network.client(index.name, url)
        answer = client.get(url, {"Accept": ACCEPT}, index.name, wanted=frozenset())
    except EnvmgrError as error:
        yield explain(error, "index", index.name)
        return
    if answer.status != 200 and answer.status not in ABSENT:
        message = f"{named} answers with HTTP status {answer.status}"
        yield problem("index", index.name, message, "check its address, and your login for it")
