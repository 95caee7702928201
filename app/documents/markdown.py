"""Renders Markdown as HTML for a page of this product. Raw HTML stays text; the caller maps links and images.

Pure: no files, no addresses of the product.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

# Comments of the source are for its editors; as raw HTML they would show as text.
_COMMENT_LINE: Final = re.compile(r"^<!--.*-->\n", re.MULTILINE)
_FENCE: Final = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)


class Heading(NamedTuple):
    """A heading of a document; the anchor is the one that Git hosts generate."""

    level: int
    anchor: str
    text: str


class Rendered(NamedTuple):
    """A document as HTML, with its headings in order."""

    html: str
    headings: tuple[Heading, ...]


def render(text: str, link: Callable[[str], str | None], image: Callable[[str], str | None]) -> Rendered:
    """Render Markdown. `link` and `image` map a target to an address; None omits the link or the image."""
    parser = _make_parser()
    tokens = parser.parse(_without_comments(text))
    headings = _mark_headings(tokens)
    for token in tokens:
        _redirect(token.children or [], link, image)
    return Rendered(parser.renderer.render(tokens, parser.options, {"tables": itertools.count(1)}), headings)


def anchor_of(heading: str) -> str:
    """Return the anchor of a heading: lower case, without punctuation, words joined by hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    parser.add_render_rule("fence", _show_code)
    parser.add_render_rule("code_block", _show_code)
    return parser


def _without_comments(text: str) -> str:
    parts = _FENCE.split(text)
    return "".join(part if part.startswith("```") else _COMMENT_LINE.sub("", part) for part in parts)


def _mark_headings(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    found: list[Heading] = []
    taken: dict[str, int] = {}
    for opening, content in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(child.content for child in content.children or [] if child.type in ("text", "code_inline"))
        anchor = anchor_of(text)
        number = taken.get(anchor, 0)
        taken[anchor] = number + 1
        unique = f"{anchor}-{number}" if number else anchor
        opening.attrSet("id", unique)
        found.append(Heading(int(opening.tag[1:]), unique, text))
    return tuple(found)


def _redirect(inline: list[Token], link: Callable[[str], str | None], image: Callable[[str], str | None]) -> None:
    """Replace the targets of links and images. One without an address becomes plain text."""
    closing_tags: list[str] = []
    for token in inline:
        if token.type == "link_open":
            address = link(str(token.attrGet("href")))
            if address is None:
                token.tag = "span"
                token.attrs = {}
            else:
                token.attrSet("href", address)
                if "//" in address:
                    token.attrSet("rel", "noopener noreferrer")
            closing_tags.append(token.tag)
        elif token.type == "link_close":
            token.tag = closing_tags.pop()
        elif token.type == "image":
            address = image(str(token.attrGet("src")))
            if address is None:
                token.type, token.tag, token.nesting = "text", "", 0
            else:
                token.attrSet("src", address)


def _open_table(
    _renderer: RendererProtocol, _tokens: Sequence[Token], _index: int, _options: OptionsDict, env: Any
) -> str:
    number = next(env["tables"])
    return f'<div class="scroll-x" tabindex="0" role="region" aria-label="Table {number}"><table class="plain">\n'


def _close_table(*_unused: Any) -> str:
    return "</table></div>\n"


def _show_code(
    _renderer: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: Any
) -> str:
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'
