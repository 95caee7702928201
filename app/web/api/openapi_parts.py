"""Parts of the OpenAPI description, one function per subject: the paths and their operations.

`description.py` joins them into the document; the building blocks are in `schema.py`.
"""

from __future__ import annotations

from typing import Any, Final

from app.domain.rehearsal.plan import RehearsalPlan
from app.web.api.schema import KEY, TEXTS, json, of_key, operation, query, ref, wrapped
from app.web.presenters.rehearsal import RehearsalRowView, RehearsalView


def all_streams_paths() -> dict[str, Any]:
    """Describe the operations on several streams at once."""
    body = {"requestBody": {"required": False, "content": json(ref("StreamChoice"))}}
    start = operation("Put every chosen stream on air that is off air", ref("AllStreamsView"), [400])
    stop = operation("Take every chosen stream off air", ref("AllStreamsView"), [400])
    return {
        "/api/streams/start-all": {"post": {**start, **body}},
        "/api/streams/stop-all": {"post": {**stop, **body}},
    }


def preset_paths() -> dict[str, Any]:
    """Describe the operations on presets and the address book."""
    document, imported = ref("PresetDocument"), ref("Imported")
    return {
        "/api/presets/export": {"get": operation("All presets and far ends as one document", document, [])},
        "/api/presets/import": {
            "post": {
                **operation("Import an exported document, each entry completely or not at all", imported, [400, 413]),
                "requestBody": {"required": True, "content": json(document)},
            }
        },
        **_shelf_paths("/api/presets", "preset", "PresetOrder", "PresetView", problems=TEXTS),
        **_shelf_paths("/api/far-ends", "far end", "FarEnd", "KnownFarEndView"),
    }


def _shelf_paths(path: str, word: str, order: str, view: str, **others: dict[str, Any]) -> dict[str, Any]:
    body = {"requestBody": {"required": True, "content": json(ref(order))}}
    part = path.rpartition("/")[2].replace("-", "_")
    save = operation(f"Save a new {word}", ref(view), [400, 409, 413], success=201)
    return {
        path: {
            "get": operation(f"Every {word}, by name", wrapped(part, ref(view), **others), []),
            "post": {**save, **body},
        },
        f"{path}/{{key}}": of_key(
            get=operation(f"One {word}", ref(view), [404]),
            put={**operation(f"Other values for a {word}", ref(view), [400, 404, 409, 413]), **body},
            delete=operation(f"Forget a {word}", None, [404], success=204),
        ),
    }


REHEARSAL_TYPES: Final = (RehearsalPlan, RehearsalRowView, RehearsalView)


def impairment_paths() -> dict[str, Any]:
    """Describe the operations on impaired paths: relays, profiles and rehearsals."""
    return {**relay_paths(), **profile_paths(), **rehearsal_paths()}


def profile_paths() -> dict[str, Any]:
    """Describe the operations on impairment profiles."""
    return {
        "/api/impairment-profiles": {
            "get": operation(
                "Impairments by name, each with its source",
                wrapped("profiles", ref("Profile"), own={"type": "array"}),
                [],
            )
        },
        "/api/impairment-profiles/own": {
            "get": operation("The own profiles as a file", wrapped("profiles", ref("Profile")), []),
            "post": {
                **operation(
                    "Store own profiles, all or none", wrapped("profiles", ref("Profile")), [400, 409], success=201
                ),
                "requestBody": {"required": True, "content": json(wrapped("profiles", ref("Profile")))},
            },
        },
        "/api/impairment-profiles/own/{name}": {
            "parameters": [{**KEY, "name": "name"}],
            "delete": operation("Forget an own profile", None, [404], success=204),
        },
        "/api/impairment-profiles/measured": {
            "get": operation(
                "My link and my link × 2 from a network test or a stream",
                wrapped("profiles", ref("Profile")),
                [400, 404, 409],
                [query("test", {"type": "string"}), query("stream", {"type": "string"})],
            )
        },
    }


def relay_paths() -> dict[str, Any]:
    """Describe the operations on relays."""
    stream = ref("StreamView")
    return {
        "/api/streams/{key}/impairment": of_key(
            put={
                **operation("Change a relay's impairment without interruption", stream, [400, 404, 409]),
                "requestBody": {"required": True, "content": json(ref("Impairment"))},
            }
        ),
        "/api/streams/{key}/outage": of_key(
            post={
                **operation("Make an outage in a relay, beginning now", stream, [400, 404, 409]),
                "requestBody": {"required": True, "content": json(ref("OutageOrder"))},
            }
        ),
    }


def reception_paths() -> dict[str, Any]:
    """Describe the operations on receive streams."""
    picture = operation("The newest key frame of a receive stream that was ordered with `picture`", None, [404])
    # The page names the time of the picture, so that the browser shows no older one.
    picture["parameters"] = [query("taken", {"type": "string", "description": "Any text; has no effect"})]
    picture["responses"]["200"]["content"] = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    return {
        "/api/streams/{key}/reception": of_key(
            get=operation(
                "The delivery of a receive stream, oldest first: seconds up to an hour, else minutes",
                wrapped("samples", ref("DeliverySecondView")),
                [400, 404],
                [
                    query("seconds", {"type": "integer", "minimum": 1, "maximum": 86400, "default": 300}),
                    query("format", {"enum": ["json", "csv"], "default": "json"}),
                ],
            )
        ),
        "/api/streams/{key}/picture": of_key(get=picture),
        "/api/streams/{key}/reset": of_key(
            post=operation("Reset the counters of a receive stream's delivery", ref("StreamView"), [404])
        ),
    }


def probe_report_paths() -> dict[str, Any]:
    """Describe the operations on probe reports."""
    view = ref("ProbeReportView")
    return {
        "/api/probe_reports": {
            "get": operation("Posted results of probes, newest first", wrapped("reports", view), []),
            "post": {
                **operation("Store the result of a probe, as `mcr probe --report` sends it", view, [400], success=201),
                "requestBody": {"required": True, "content": json(ref("ProbeReport"))},
            },
        },
        "/api/probe_reports/{report_id}": {
            "parameters": [{**KEY, "name": "report_id"}],
            "get": operation("One result", view, [404]),
            "delete": operation("Delete a result", None, [404], success=204),
        },
    }


def configuration_paths() -> dict[str, Any]:
    """Describe the operations of configuration as code."""
    exported = operation("Every stream as a YAML file, without secrets", None, [])
    exported["responses"]["200"]["content"] = {"application/yaml": {"schema": {"type": "string"}}}
    return {
        "/api/configuration": {
            "get": exported,
            "post": {
                **operation(
                    "Compare a file with the streams; apply it unless dry_run", ref("ConfigurationView"), [400]
                ),
                "requestBody": {"required": True, "content": json(ref("ConfigurationOrder"))},
            },
        },
        "/api/configuration/schema": {"get": operation("The JSON schema of the file", {"type": "object"}, [])},
    }


def network_test_paths() -> dict[str, Any]:
    """Describe the operations on network tests."""
    view = ref("NetworkTestView")
    return {
        "/api/network-tests": {
            "get": operation(
                "The stored network tests, newest first, and the servers that a test can choose from",
                wrapped("tests", ref("NetworkTestRowView"), servers=ref("ServersView"), overview=ref("OverviewView")),
                [],
            ),
            "post": {
                **operation("Begin a network test", view, [400, 409], success=202),
                "requestBody": {"required": True, "content": json(ref("NetworkTestOrder"))},
            },
        },
        "/api/network-tests/{test_id}": {
            "parameters": [{**KEY, "name": "test_id"}],
            "get": operation("One network test", view, [404]),
            "delete": operation("Cancel it and kill its programs", view, [404], success=202),
        },
    }


def rehearsal_paths() -> dict[str, Any]:
    """Describe the operations on rehearsals."""
    view = ref("RehearsalView")
    key = [{**KEY, "name": "run_id"}]
    three = {"type": "object", "required": ["stream"], "properties": {"stream": {}, "impairment": ref("Impairment")}}
    return {
        "/api/rehearsals": {
            "get": operation(
                "The rehearsals, newest first",
                wrapped("rehearsals", ref("RehearsalRowView"), overview=ref("OverviewView")),
                [],
            ),
            "post": {
                **operation("Begin a rehearsal at several latencies", view, [400, 409], success=202),
                "requestBody": {"required": True, "content": json(ref("RehearsalPlan"))},
            },
        },
        "/api/rehearsals/{run_id}": {
            "parameters": key,
            "get": operation("One rehearsal", view, [400, 404], [query("format", {"enum": ["json", "csv"]})]),
            "delete": operation("Delete it", None, [404, 409], success=204),
        },
        "/api/rehearsals/{run_id}/cancel": {
            "parameters": key,
            "post": operation("Cancel it and keep its measurements", view, [404], success=202),
        },
        "/api/rehearsed-paths": {
            "post": {
                **operation(
                    "Start a receive stream, a relay and a copy of a send stream through it, all or none",
                    wrapped("streams", ref("StreamView")),
                    [400, 409, 422],
                    success=201,
                ),
                "requestBody": {"required": True, "content": json(three)},
            }
        },
    }
