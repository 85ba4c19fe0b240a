/** Grey films: their samples, and how a window puts them on a screen. */
const FULL = 65535;

/** {height, width, samples: Uint16Array} of a picture file that the browser can show. */
export async function greyOfPicture(file) {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const samples = new Uint16Array(width * height);
  // Luma of BT.601, as neuralgraph.sources takes it; 257 spreads 8 bits over 16.
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round(257 * (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]));
  return { height, width, samples };
}

/** The same of what a server of this package sends: height and width as u32, then samples as u16, little-endian. */
export function greyOfBytes(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 8) throw new Error("the film is not complete");
  const [height, width] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (buffer.byteLength !== 8 + 2 * height * width) throw new Error("the film is not complete");
  const samples = new Uint16Array(height * width);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getUint16(8 + 2 * i, true);
  return { height, width, samples };
}

/** Paint a film into a canvas of its size; `level` and `window` are shares of the whole scale. */
export function paintGrey(canvas, film, { level, window, inverted }) {
  const table = new Uint8ClampedArray(FULL + 1);
  const low = level - window / 2;
  for (let value = 0; value <= FULL; value++) {
    const share = (value / FULL - low) / window;
    table[value] = 255 * (inverted ? 1 - share : share);
  }
  const context = canvas.getContext("2d");
  const image = context.createImageData(film.width, film.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = 0xff000000 | (table[film.samples[i]] * 0x010101);
  context.putImageData(image, 0, 0);
}
