// Events of a stream as vertical lines in its charts, with their text if there is space.
import { colour } from "./chart_theme.js";

const ROOM_PX = 48;
const NEAR_PX = 6;

/** A Chart.js plugin that draws `chart.marks`: [{at, text}], oldest first. */
export const eventMarks = {
  id: "eventMarks",
  afterDatasetsDraw(chart) {
    const { ctx: pen, chartArea } = chart;
    const places = placesOf(chart);
    pen.save();
    pen.strokeStyle = colour("--edge");
    pen.fillStyle = colour("--dim");
    pen.font = `10px ${getComputedStyle(document.body).fontFamily}`;
    pen.setLineDash([3, 3]);
    places.forEach(({ x, text }, index) => {
      pen.beginPath();
      pen.moveTo(x, chartArea.top);
      pen.lineTo(x, chartArea.bottom);
      pen.stroke();
      const room = (places[index + 1]?.x ?? chartArea.right) - x;
      if (room < ROOM_PX) return;
      pen.save();
      pen.beginPath();
      pen.rect(x, chartArea.top, room - 6, 16);
      pen.clip();
      pen.fillText(text, x + 4, chartArea.top + 10);
      pen.restore();
    });
    pen.restore();
  },
};

/** The texts of the events next to a place of the pointer, for the tooltip. */
export function textsNear(chart, x) {
  return placesOf(chart)
    .filter((place) => Math.abs(place.x - x) <= NEAR_PX)
    .map((place) => place.text);
}

function placesOf(chart) {
  const { left, right } = chart.chartArea;
  return (chart.marks ?? [])
    .map(({ at, text }) => ({ x: chart.scales.x.getPixelForValue(at), text }))
    .filter(({ x }) => x >= left && x <= right);
}

/** Events of the API as marks, oldest first. */
export function marksOf(events) {
  return events.map(({ at, text }) => ({ at: Date.parse(at) / 1000, text })).reverse();
}
