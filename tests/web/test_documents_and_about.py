"""The documentation and the page About: whole, offline, and without a secret or a way out of docs/."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app import create_app
from app.documents.library import DocumentLibrary
from app.domain.hosts import HostEntry
from app.domain.secret import Secret
from app.domain.version import VERSION
from app.machine.versions import Versions
from app.settings import PROJECT_FOLDER, Settings
from app.web.presenters.about import present_about
from tests.web.client import Client
from tests.web.fake_manager import FakeManager

DOCUMENTS = sorted(str(path.relative_to(PROJECT_FOLDER / "docs"))[:-3] for path in PROJECT_FOLDER.glob("docs/**/*.md"))


def test_every_document_is_served_and_listed(browser: Client) -> None:
    listed = set(re.findall(r'href="/docs/([^"#]+)"', browser.get("/docs").get_data(as_text=True)))

    assert set(DOCUMENTS) | {"readme", "changelog"} <= listed
    for address in listed:
        page = browser.get(f"/docs/{address}")
        assert page.status_code == 200, address
        assert "<article" in page.get_data(as_text=True)


def test_links_between_documents_lead_to_their_pages_and_anchors(browser: Client) -> None:
    for address in ("readme", *DOCUMENTS):
        page = browser.get(f"/docs/{address}").get_data(as_text=True)
        article = page[page.index("<article") : page.index("</article>")]
        for target in re.findall(r'href="([^"]+)"', article):
            if re.match("https?:", target):
                continue
            path, _, anchor = target.partition("#")
            answer = browser.get(path or f"/docs/{address}")
            assert answer.status_code == 200, (address, target)
            assert not anchor or f'id="{anchor}"' in answer.get_data(as_text=True), (address, target)


def test_pictures_come_from_this_server(browser: Client) -> None:
    article = browser.get("/docs/readme").get_data(as_text=True)
    found = re.search(r'<img src="([^"]+)"', article)
    assert found is not None
    source = found[1]
    picture = browser.get(source)

    assert source == "/docs/files/screenshots/front-page.png"
    assert picture.data == (PROJECT_FOLDER / "docs/screenshots/front-page.png").read_bytes()
    assert browser.get("/docs/files/engines.svg").mimetype == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "/docs/nothing",
        "/docs/../wsgi",
        "/docs/%2e%2e/README",
        "/docs/..%2fREADME",
        "/docs/files/../../wsgi.py",
        "/docs/files/%2e%2e/%2e%2e/etc/passwd",
        "/docs/files//etc/passwd",
        "/docs/files/api.md",
        "/docs/files/\x00",
    ],
)
def test_nothing_outside_the_documents_has_an_address(browser: Client, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"


@pytest.fixture
def library(tmp_path: Path) -> DocumentLibrary:
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "secret.md").write_text("# Secret")
    (tmp_path / "LICENSE").write_text("free")
    return DocumentLibrary(tmp_path)


def rendered(library: DocumentLibrary, tmp_path: Path, text: str, name: str = "page") -> str:
    (tmp_path / "docs" / f"{name}.md").write_text(text)
    return library.read(name).html


def test_raw_html_is_text(library: Any, tmp_path: Path) -> None:
    html = rendered(library, tmp_path, "# T\n\n<script>alert(1)</script> <b onclick=x>b</b>\n\n<img src=x onerror=y>\n")

    assert not re.search(r"<(script|b|img)\b", html)
    assert "&lt;script&gt;" in html


def test_comments_of_the_source_are_left_out_except_in_code(library: Any, tmp_path: Path) -> None:
    html = rendered(library, tmp_path, "# T\n\n<!-- note -->\n\n```\n<!-- code -->\n```\n")

    assert "note" not in html
    assert "&lt;!-- code --&gt;" in html


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "../secret.md", "file:///etc/passwd", "/etc/passwd"],
)
def test_a_link_to_anything_else_is_only_its_text(library: Any, tmp_path: Path, target: Any) -> None:
    html = rendered(library, tmp_path, f"# T\n\n[words]({target}) and ![picture]({target})\n")

    assert "href" not in html
    assert "<img" not in html
    assert "words" in html


def test_links_are_resolved_from_the_folder_of_their_document(library: Any, tmp_path: Path) -> None:
    (tmp_path / "docs" / "other.md").write_text("# Other")
    (tmp_path / "docs" / "deep" / "one.svg").write_text("<svg/>")
    text = "# T\n\n[a](../other.md#x) [b](https://example.org/) [c](#t) ![d](one.svg) [e](../../LICENSE)\n"
    html = rendered(library, tmp_path, text, "deep/page")

    assert re.findall(r'(?:href|src)="([^"]+)"', html) == [
        "/docs/other#x",
        "https://example.org/",
        "#t",
        "/docs/files/deep/one.svg",
        "/about#licence",
    ]


def test_headings_have_the_anchors_of_forges_each_once(library: Any, tmp_path: Path) -> None:
    rendered(library, tmp_path, "# T\n\n## What `mcr check` does\n\n## Again\n\n## Again\n")

    assert [heading.anchor for heading in library.read("page").headings] == [
        "t",
        "what-mcr-check-does",
        "again",
        "again-1",
    ]


def test_a_document_is_rendered_once(library: Any, tmp_path: Path) -> None:
    first = rendered(library, tmp_path, "# First")
    (tmp_path / "docs" / "page.md").write_text("# Second")

    assert library.read("page").html == first


def test_an_installation_without_documents_says_so(
    tmp_path: Path, settings: Settings, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.services.PROJECT_FOLDER", tmp_path)

    assert "holds no documents" in create_app(settings, manager=manager).test_client().get("/docs").get_data(True)


def test_about_names_version_licence_and_settings(browser: Client) -> None:
    page = browser.get("/about").get_data(as_text=True)

    assert VERSION in page
    assert "BSD 2-Clause" in page
    assert "Redistribution and use" in page
    assert "LISTENER_PORTS" in page
    assert "10001-10010" in page


SECRETS = (
    "key-of-the-session" * 2,
    "key-of-scripts" * 3,
    "database-word",
    "query-word",
    "other-hosts-key",
    "token-word",
)


def test_about_shows_no_secret(settings: Settings, tmp_path: Path) -> None:
    made = Settings(
        secret_key=Secret(SECRETS[0]),
        api_key=Secret(SECRETS[1]),
        database_url=f"postgresql://user:{SECRETS[2]}@db.example.org/mcr?password={SECRETS[3]}",
        hosts=(HostEntry("mcr-b", "https://mcr-b.example.org", Secret(SECRETS[4])),),
        external_ip_url=f"https://ipinfo.example.org/json?token={SECRETS[5]}",
        data_folder=tmp_path,
        runtime_folder=tmp_path,
        media_folder=tmp_path,
    )
    client = create_app(made, manager=FakeManager()).test_client()
    answers = [client.get(path).get_data(as_text=True) for path in ("/about", "/api/about")]

    for answer in answers:
        assert "db.example.org" in answer
        assert "mcr-b.example.org" in answer
        assert [secret for secret in SECRETS if secret in answer] == []


def test_about_names_the_libraries_with_what_is_known_against_them(settings: Settings) -> None:
    versions = Versions("1.22.0", "1.5.1", "1.5.1-1+deb12u1", ffmpeg="5.1.6", is_known=True)
    about = present_about(settings, versions)
    of_name = {library.name: library for library in about.libraries}

    assert {"Python", "GStreamer", "libsrt", "FFmpeg"} <= set(of_name)
    assert of_name["libsrt"].version == "1.5.1-1+deb12u1"
    assert "lacks the fixes of CVE-" in (of_name["libsrt"].remark or "")
    assert len(about.warnings) == 1


def test_about_waits_for_no_version(settings: Settings) -> None:
    about = present_about(settings, Versions())

    assert not about.are_versions_known
    assert {library.name: library.version for library in about.libraries}["GStreamer"] is None
    assert msgspec.json.encode(about)
