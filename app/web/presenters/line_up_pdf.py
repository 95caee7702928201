"""Draws the report of a line-up test as a PDF of one page with annexes, from the same view as the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from app.web.presenters.line_up import GraphView, LineView, RunView

# DejaVu covers Latin, Greek and Cyrillic; Debian's fonts-dejavu-core and Fedora's dejavu-sans-fonts ship it.
_FONTS: Final = (
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu-sans-fonts"),
)
_GREY: Final = (110, 110, 110)
_VERDICT_COLOURS: Final = {"pass": (30, 120, 30), "remarks": (150, 100, 0), "fail": (190, 30, 40)}
_GRAPH_HEIGHT_MM: Final = 34.0
_EVENTS_MAX: Final = 60
_CHECK_WIDTHS: Final = (50, 32, 48, 32, 20)


def render_pdf(view: RunView) -> bytes:
    """Draw the report of a run."""
    pdf = _Report()
    pdf.heading(view)
    pdf.about(view)
    pdf.figures(view.lines)
    pdf.graph(view.graph)
    pdf.signatures(view)
    pdf.annexes(view)
    return bytes(pdf.output())


class _Report(FPDF):
    def __init__(self) -> None:
        super().__init__(format="A4")
        self.set_auto_page_break(auto=True, margin=14)
        self.set_margins(14, 12)
        folder = next((folder for folder in _FONTS if (folder / "DejaVuSans.ttf").exists()), None)
        self._family = "Helvetica" if folder is None else "DejaVu"
        if folder is not None:
            self.add_font("DejaVu", "", folder / "DejaVuSans.ttf")
            self.add_font("DejaVu", "B", folder / "DejaVuSans-Bold.ttf")
        self.set_title("SRT line-up test")
        self.set_creator("MCR SRT Streamer")
        self.add_page()

    def line_of(self, text: str, size: float = 9, style: str = "", height: float = 4.6) -> None:
        """Write one paragraph over the whole width."""
        self.set_font(self._family, style, size)
        self.multi_cell(0, height, self._shown(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _shown(self, text: str) -> str:
        """Return the text with only characters that the chosen font has."""
        return text if self._family == "DejaVu" else text.encode("latin-1", "replace").decode("latin-1")

    def heading(self, view: RunView) -> None:
        """Draw the verdict and its reason."""
        self.line_of("SRT line-up test", 10)
        self.set_text_color(*_VERDICT_COLOURS.get(view.verdict or "", _GREY))
        self.line_of(view.verdict_text, 20, "B", 9)
        self.set_text_color(0)
        self.line_of(view.headline or view.problem, 10, "B")
        if view.state != "done":
            self.line_of(f"The run is not complete: {view.state_text.lower()}. {view.problem}")

    def about(self, view: RunView) -> None:
        """Draw who tested what, and when."""
        plan, facts = view.plan, view.facts
        rows = [
            ("Production", plan.production),
            ("Programme", plan.programme_at),
            ("Far end", plan.far_end),
            ("Contacts", plan.contacts),
            ("Circuits", " / ".join(filter(None, [plan.circuit_main, plan.circuit_backup]))),
            ("Resilience", plan.resilience),
            ("Tested", view.tested_text),
            ("By", view.actor),
            ("Sender", facts.stream or "not ours"),
            ("Receiver", facts.receiver or "not this product: nothing was measured there"),
            ("Host", f"{facts.hostname}, MCR SRT Streamer {facts.version}"),
            ("Limits", plan.limits_name),
            ("Far end's SRT", facts.far_end_version),
        ]
        self.ln(1.5)
        self.rows([(title, text) for title, text in rows if text], (32, 150))

    def figures(self, lines: Sequence[LineView]) -> None:
        """Draw each figure with limit, margin and verdict."""
        self.ln(2)
        header = ("Figure", "Measured", "Limit", "Margin", "Verdict", "Last test", "Worst second, UTC")
        body = [
            (
                line.title,
                line.got_text,
                line.limit_text,
                line.margin_text,
                line.verdict_text,
                line.before_text or "–",
                (line.worst_at or "")[11:19],
            )
            for line in lines
        ]
        self.rows([header, *body], (42, 28, 22, 24, 22, 22, 22), header=True)
        for line in lines:
            if line.note:
                self.line_of(f"{line.title}: {line.note}", 7.5, height=3.6)

    def rows(self, rows: Sequence[Sequence[str]], widths: Sequence[float], *, header: bool = False) -> None:
        """Draw rows of cells; a cell that is too long is wrapped."""
        self.set_font(self._family, "", 8)
        with self._table(widths, header) as table:
            for cells in rows:
                row = table.row()
                for cell in cells:
                    row.cell(self._shown(str(cell)))

    def _table(self, widths: Sequence[float], header: bool) -> Any:
        return self.table(
            col_widths=tuple(widths),
            width=sum(widths),
            align="LEFT",
            first_row_as_headings=header,
            line_height=4.4,
            borders_layout="HORIZONTAL_LINES",
        )

    def graph(self, graph: GraphView) -> None:
        """Draw lateness and gaps above the line, lost packets below it."""
        if self.get_y() + _GRAPH_HEIGHT_MM + 12 > self.h - 20:
            self.add_page()
        self.ln(2)
        self.line_of("Output gap (up, ms) and packets lost (down) over the run", 8)
        left, top, width = self.l_margin, self.get_y(), self.epw
        middle = top + _GRAPH_HEIGHT_MM * 0.6
        self._bars(graph.gap_ms, left, middle, width, _GRAPH_HEIGHT_MM * 0.6, 1)
        self._bars(graph.lost, left, middle, width, _GRAPH_HEIGHT_MM * 0.4, -1)
        self.set_draw_color(0)
        self.line(left, middle, left + width, middle)
        self.set_y(top + _GRAPH_HEIGHT_MM + 1)
        highest = max((value for value in graph.gap_ms if value is not None), default=0)
        most = max((value for value in graph.lost if value is not None), default=0)
        self.line_of(f"Highest: {highest:.0f} ms up, {most} packets down. One bar is {graph.step_s} s.", 7)

    def _bars(
        self, values: Sequence[float | None], left: float, base: float, width: float, height: float, up: int
    ) -> None:
        highest = max((value for value in values if value is not None), default=0) or 1
        step = width / max(1, len(values))
        # In a context: a fill colour that stays would also fill the heads of the tables that follow.
        with self.local_context(fill_color=(60, 60, 60) if up > 0 else _VERDICT_COLOURS["fail"]):
            for index, value in enumerate(values):
                if value:
                    tall = height * value / highest
                    self.rect(left + index * step, base - tall if up > 0 else base, max(step, 0.2), tall, style="F")

    def signatures(self, view: RunView) -> None:
        """Draw two fields to sign, and the digest of the data."""
        if self.get_y() + 24 > self.h - 14:
            self.add_page()
        self.ln(10)
        y, half = self.get_y(), self.epw / 2
        self.line(self.l_margin, y, self.l_margin + half - 6, y)
        self.line(self.l_margin + half + 6, y, self.l_margin + self.epw, y)
        self.set_font(self._family, "", 7.5)
        self.cell(half, 4, "Date, name and signature, this end")
        self.set_x(self.l_margin + half + 6)
        self.cell(half, 4, "Date, name and signature, far end", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)
        self.line_of(f"Run {view.id} · SHA-256 of its JSON: {view.sha256 or 'the test is running'}", 7)

    def annexes(self, view: RunView) -> None:
        """Draw the configuration test, the settings and the events."""
        self.add_page()
        checks = [(each.title, each.asked, each.got, each.limit, each.verdict_text) for each in view.checks]
        self._annex("Configuration test", ("Check", "Requested", "Found", "Limit", "Verdict"), checks, _CHECK_WIDTHS)
        settings = [(s.title, s.requested, s.applied, s.negotiated) for s in view.facts.settings]
        self._annex("Settings", ("Setting", "Requested", "Applied", "Negotiated"), settings, (45, 45, 45, 45))
        self.line_of("Events", 11, "B", 7)
        for event in view.events[:_EVENTS_MAX]:
            self.line_of(f"{event.at[:19].replace('T', ' ')}  {event.text}", 7.5, height=3.8)
        if not view.events:
            self.line_of("None.")
        for title, text in (("Expected services", view.plan.expected_services), ("Remarks", view.plan.remarks)):
            if text:
                self.ln(3)
                self.line_of(title, 11, "B", 7)
                self.line_of(text)

    def _annex(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        self.line_of(title, 11, "B", 7)
        if rows:
            self.rows([header, *rows], widths, header=True)
        else:
            self.line_of("None.")
        self.ln(3)
