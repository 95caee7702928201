// A chart as a PNG picture.
import { colour } from "./chart_theme.js";

/** A chart's canvas with title and legend ({label, colour}), on the page's background. Returns a promise of a Blob. */
export function pictureOf(canvas, title, legend) {
  const line = 24 * (window.devicePixelRatio || 1);
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height + 2.25 * line;
  const pen = picture.getContext("2d");
  const { fontFamily } = getComputedStyle(document.body);
  pen.fillStyle = colour("--panel");
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.fillStyle = colour("--bs-body-color");
  pen.font = `600 ${line * 0.62}px ${fontFamily}`;
  pen.fillText(title, line * 0.6, line, picture.width - line);
  pen.font = `${line * 0.54}px ${fontFamily}`;
  let x = line * 0.6;
  for (const { label, colour: name } of legend) {
    pen.fillStyle = colour(name);
    pen.fillRect(x, line * 1.6, line * 0.6, line * 0.1);
    pen.fillStyle = colour("--dim");
    pen.fillText(label, x + line * 0.8, line * 1.8);
    x += pen.measureText(label).width + line * 1.8;
  }
  pen.drawImage(canvas, 0, 2.25 * line);
  return new Promise((resolve) => {
    picture.toBlob(resolve, "image/png");
  });
}

/** Save a blob as a file of the browser. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
