// A text as a QR code on a canvas.

const QUIET_MODULES = 4;
const MODULE_PIXELS = 5;

export function drawQr(canvas, text) {
  const code = window.qrcode(0, "M");
  code.addData(text, "Byte");
  code.make();
  const modules = code.getModuleCount();
  const size = (modules + 2 * QUIET_MODULES) * MODULE_PIXELS;
  canvas.width = size;
  canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, size, size);
  pen.fillStyle = "#000";
  for (let row = 0; row < modules; row += 1) {
    for (let column = 0; column < modules; column += 1) {
      if (code.isDark(row, column))
        pen.fillRect(
          (column + QUIET_MODULES) * MODULE_PIXELS,
          (row + QUIET_MODULES) * MODULE_PIXELS,
          MODULE_PIXELS,
          MODULE_PIXELS,
        );
    }
  }
}
