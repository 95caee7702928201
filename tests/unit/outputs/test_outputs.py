"""The outputs of a reception together: those asked for, each by itself."""

from __future__ import annotations

from pathlib import Path

from app.domain.figures.outputs import OutputsReport, RecordingEnd
from app.domain.spec import Forward, ListenerEndpoint, ReceiveSpec, Record
from app.engines.receiver.outputs.outputs import Outputs
from app.protocol import Job

RECEIVE = ReceiveSpec(ListenerEndpoint(10_002))


def outputs_of(job: Job, record: Record | None = None, forward: Forward | None = None) -> Outputs:
    """Return the outputs of a receive stream."""
    spec = ReceiveSpec(ListenerEndpoint(10_002), record=record, forward=forward)
    return Outputs(job, spec, lambda event: None)


def test_without_outputs_nothing_is_reported() -> None:
    outputs = outputs_of(Job("k", RECEIVE))
    outputs.take([b"G" * 188])
    outputs.stop()
    assert outputs.report() == OutputsReport()


def test_an_interface_that_is_not_there_does_not_keep_the_recording_from_running(tmp_path: Path) -> None:
    job = Job("k", RECEIVE, record_folder=str(tmp_path))
    outputs = outputs_of(job, record=Record(), forward=Forward("239.1.1.9", 1234, interface="nowhere9"))
    outputs.take([b"G" * 188])
    outputs.stop()
    report = outputs.report()
    assert report.forward is not None
    assert "no interface" in report.forward.last_error
    assert report.recording is not None
    assert report.recording.end in (RecordingEnd.STOPPED, RecordingEnd.NO_SPACE)


def test_without_a_folder_there_is_no_recording() -> None:
    outputs = outputs_of(Job("k", RECEIVE), record=Record())
    outputs.take([b"G" * 188])
    outputs.stop()
    report = outputs.report().recording
    assert report is not None
    assert report.end is RecordingEnd.NO_FOLDER
