"""A stream manager whose streams a pretended cluster places: what it orders, shows and follows."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.secret import Secret
from app.domain.spec import BarsSource, Encryption
from app.domain.status import Order, Phase
from app.fleet import resources
from app.fleet.launcher import PacemakerLauncher
from app.fleet.link import ClusterLink
from app.fleet.parcel import pack, read_fleet_key
from app.fleet.permits import Permits
from app.media.library import MediaLibrary
from app.media.patience import PatientLibrary
from app.store.store import Store
from app.stream_manager import StreamManager
from app.supervisor.launchers.local import LocalLauncher
from tests.instruments.manager import OwnManager
from tests.instruments.pretended_cluster import PretendedCluster
from tests.instruments.waiting import wait_for
from tests.instruments.worker import FAKE


class ClusteredManager(OwnManager):
    """A manager on a host of a pretended cluster."""

    def new_manager(self) -> StreamManager:
        folder = self.settings.runtime_folder
        key_file = self.folder / "fleet_key"
        key_file.touch(mode=0o600)
        key_file.write_text(secrets.token_hex(32))
        self.cipher = read_fleet_key(key_file)
        local = LocalLauncher(folder, command=FAKE)
        self.cluster = PretendedCluster(folder, local, self.cipher)
        self.patch.setattr(resources, "run", self.cluster.run)
        return StreamManager(
            self.settings,
            PacemakerLauncher(local, Permits(folder), ClusterLink(self.cipher)),
            PatientLibrary(MediaLibrary(self.settings.media_folder)),
            Store(self.settings.database_url, self.settings.secret_key),
        )

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        super().__init__(command=FAKE)

    def close(self) -> None:
        for key in list(self.cluster.places):
            self.cluster.carrier.stop(key)
        super().close()


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusteredManager]:
    with ClusteredManager(monkeypatch) as made:
        yield made


def test_an_order_becomes_a_resource_and_the_worker_that_the_cluster_starts_here_is_adopted(
    own: ClusteredManager,
) -> None:
    spec = own.spec(source=BarsSource(), encryption=Encryption(128, Secret("correct horse battery")))
    key = own.manager.start(spec).key
    shown = own.wait(key, lambda seen: seen.worker_pid)
    here = LocalLauncher(own.settings.runtime_folder).adopt(key)
    assert here is not None
    assert (shown.worker_pid, shown.host) == (here.pid, "")
    assert "correct horse battery" not in str(own.cluster.run(["cibadmin", "--query"], timeout_s=5).stdout)


def test_a_stream_that_moves_is_shown_with_its_host_and_comes_back(own: ClusteredManager) -> None:
    key = own.manager.start(own.spec(source=BarsSource())).key
    first = own.wait(key, lambda seen: seen.worker_pid).worker_pid
    own.cluster.move(key, "there")
    shown = own.wait(key, lambda seen: seen.host == "there")
    assert (shown.status.phase, shown.worker_pid) == (Phase.DELIVERING, None)
    own.cluster.move(key, "here")
    own.wait(key, lambda seen: seen.host == "" and seen.worker_pid not in (None, first), deadline_s=15)
    assert not any("crashed" in entry.text for entry in own.manager.events(key=key))


def test_a_worker_that_arrives_after_a_long_time_elsewhere_is_not_taken_for_hung(own: ClusteredManager) -> None:
    own.cluster.next_place = "there"
    key = own.manager.start(own.spec(source=BarsSource())).key
    own.wait(key, lambda seen: seen.host == "there")
    stream = own.manager._supervisor._streams[key]
    stream._current.heard(0.0)  # as long ago as can be
    own.cluster.move(key, "here")
    own.wait(key, lambda seen: seen.worker_pid, deadline_s=15)
    assert not any("hung" in entry.text for entry in own.manager.events(key=key))


def test_a_stop_and_a_dismissal_reach_the_cluster_from_a_host_that_does_not_carry_the_stream(
    own: ClusteredManager,
) -> None:
    own.cluster.next_place = "there"
    key = own.manager.start(own.spec(source=BarsSource())).key
    own.wait(key, lambda seen: seen.host == "there")
    assert own.manager.stop(key).status.phase is Phase.STOPPED
    assert own.cluster.places == {}
    own.manager.restart(key)
    wait_for(lambda: own.cluster.places == {key: "there"}, deadline_s=10, what="the stream in the cluster again")
    own.manager.dismiss(key)
    gone = f"//resources/primitive[@id='stream-{key}']"
    wait_for(lambda: any(command[-1] == gone for command in own.cluster.commands), deadline_s=10, what="its removal")


def test_a_resource_that_was_edited_by_hand_shows_why_no_host_carries_it_until_it_is_ordered_again(
    own: ClusteredManager,
) -> None:
    own.cluster.next_place = "there"
    key = own.manager.start(own.spec(source=BarsSource())).key
    own.wait(key, lambda seen: seen.host == "there")
    own.cluster.edit(key, "{")
    own.cluster.faults[key] = "the parameter job cannot be read"
    shown = own.wait(key, lambda seen: seen.status.phase is Phase.BACKING_OFF)
    assert shown.notices == ("No host carries this stream. there: the parameter job cannot be read",)
    wait_for(
        lambda: any("cannot be read by this version" in entry.text for entry in own.manager.events(key=key)),
        deadline_s=10,
        what="a note in the event log",
    )
    resources.set_wanted(key, is_wanted=False)
    own.wait(key, lambda seen: seen.status.phase is Phase.STOPPED)
    own.cluster.faults.clear()
    own.manager.restart(key)
    own.wait(key, lambda seen: seen.host == "there" and seen.status.phase is Phase.DELIVERING)


def test_what_another_host_orders_is_listed_and_what_it_removes_is_not(own: ClusteredManager) -> None:
    job = own.manager._jobs.job_for("other1", own.spec(source=BarsSource()))
    own.cluster.next_place = "there"
    resources.put([resources.Ordered("other1", pack(job, own.cipher))])
    wait_for(lambda: [seen.host for seen in own.manager.list()] == ["there"], deadline_s=10, what="the other's stream")
    resources.set_wanted("other1", is_wanted=False)
    own.wait("other1", lambda seen: seen.status.phase is Phase.STOPPED)
    resources.remove("other1")
    wait_for(lambda: own.manager.list() == [], deadline_s=10, what="the end of the other's stream")


def test_what_the_cluster_starts_here_is_followed_beyond_the_limit_and_with_its_port_in_use(
    own: ClusteredManager,
) -> None:
    specs = [own.spec(port=port, source=BarsSource()) for port in own.ports[: own.settings.max_streams + 1]]
    for number, spec in enumerate(specs):
        resources.put(
            [resources.Ordered(f"s{number}", pack(own.manager._jobs.job_for(f"s{number}", spec), own.cipher))]
        )
    wait_for(lambda: len(own.manager.list()) == len(specs), deadline_s=10, what="the streams of another host")
    resources.set_wanted("s0", is_wanted=False)
    own.wait("s0", lambda seen: seen.status.phase is Phase.STOPPED)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as worker:  # the agent is faster than this host's look
        worker.bind(("", own.ports[0]))
        resources.set_wanted("s0", is_wanted=True)
        shown = own.wait("s0", lambda seen: seen.worker_pid)
    assert shown.status.order is Order.RUN


def test_a_cluster_that_does_not_answer_holds_no_order_up_and_gets_it_later(own: ClusteredManager) -> None:
    own.cluster.is_down = True
    key = own.manager.start(own.spec(source=BarsSource())).key
    assert own.cluster.places == {}
    own.cluster.is_down = False
    own.wait(key, lambda seen: seen.worker_pid, deadline_s=15)


def test_a_web_process_that_ends_leaves_the_streams_of_the_cluster_on_air(own: ClusteredManager) -> None:
    key = own.manager.start(own.spec(source=BarsSource())).key
    pid = own.wait(key, lambda seen: seen.worker_pid).worker_pid
    own.manager.shutdown()
    assert Path(f"/proc/{pid}").exists()
    own.manager = OwnManager.new_manager(own)  # a local one, to close
