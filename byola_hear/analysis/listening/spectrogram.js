// ---- a spectrogram, drawn from the samples of a sound that is in the page

/** Decode a data: URI. Without a gesture, a page may decode but not play. */
async function decoded(uri, rate) {
  const bytes = Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (sign) => sign.charCodeAt(0));
  return (await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.buffer)).getChannelData(0);
}

/** The Fourier transform of complex numbers, in place; their number is a power of two. */
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const c = Math.cos((-2 * Math.PI * k) / size), s = Math.sin((-2 * Math.PI * k) / size);
      for (let i = k; i < n; i += size) {
        const j = i + half, x = re[j] * c - im[j] * s, y = re[j] * s + im[j] * c;
        [re[j], im[j]] = [re[i] - x, im[i] - y];
        [re[i], im[i]] = [re[i] + x, im[i] + y];
      }
    }
  }
}

/** Mel of Hz and back, by the formula of HTK. */
const mel = (hz) => 2595 * Math.log10(1 + hz / 700);
const hertz = (mels) => 700 * (10 ** (mels / 2595) - 1);

/** Decibels of mel bands: `rows` of them, the highest first, in `columns` along the time of `length` samples. */
function spectrum(samples, rate, columns, rows, length) {
  const n = rate > 16000 ? 1024 : 512, re = new Float64Array(n), im = new Float64Array(n);
  const hann = Float64Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
  const top = mel(rate / 2), levels = new Float32Array(rows * columns);
  const edges = Array.from({ length: rows + 1 }, (_, row) => (hertz((top * row) / rows) / rate) * n);
  for (let column = 0; column < columns; column++) {
    const first = Math.round(((column + 0.5) / columns) * length - n / 2);
    for (let i = 0; i < n; i++) re[i] = (samples[first + i] || 0) * hann[i];
    im.fill(0);
    transform(re, im);
    for (let row = 0; row < rows; row++) {
      let power = 0;
      // The strongest bin of a band; of a narrow one, the nearest bin.
      for (let bin = Math.round(edges[row]), last = Math.max(bin, Math.round(edges[row + 1]) - 1); bin <= last; bin++) {
        power = Math.max(power, re[bin] * re[bin] + im[bin] * im[bin]);
      }
      levels[(rows - 1 - row) * columns + column] = 10 * Math.log10(power + 1e-9);
    }
  }
  return levels;
}

/** Colours from silent to loud. */
const STOPS = [[4, 4, 22], [62, 16, 98], [139, 34, 105], [205, 66, 71], [246, 130, 31], [252, 205, 84], [252, 253, 191]];

function paint(canvas, levels) {
  const sorted = Float32Array.from(levels).sort(), at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  const high = Math.max(at(0.999), -40), low = Math.max(at(0.3), high - 70);
  const pen = canvas.getContext("2d"), image = pen.createImageData(canvas.width, canvas.height);
  levels.forEach((level, i) => {
    const x = Math.min(Math.max((level - low) / Math.max(high - low, 12), 0), 1) * (STOPS.length - 1);
    const stop = Math.min(Math.floor(x), STOPS.length - 2);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = STOPS[stop][c] + (x - stop) * (STOPS[stop + 1][c] - STOPS[stop][c]);
    image.data[4 * i + 3] = 255;
  });
  pen.putImageData(image, 0, 0);
}

class Spectrogram {
  /** Draws into `box`, in so many columns and rows. */
  constructor(box, columns, rows) {
    this.canvas = element("canvas", { width: columns, height: rows, "aria-hidden": "true" });
    this.shades = [element("i", { class: "shade" }), element("i", { class: "shade end" })];
    this.head = element("i", { class: "head", hidden: true });
    this.scale = element("div", { class: "scale", "aria-hidden": "true" });
    this.kept = new Map();
    this.box = box;
    box.classList.add("spectrogram");
    box.append(this.canvas, ...this.shades, this.scale, this.head);
  }

  /**
   * Show a sound of so many seconds, as long as it is if they are not known; what is not between two times in it is in
   * the shade. False if it can't be decoded.
   */
  async show(uri, rate, length = 0, from = 0, to = Infinity) {
    this.wanted = uri;
    const { width, height } = this.canvas;
    if (!this.kept.has(uri)) {
      this.kept.set(uri, decoded(uri, rate).then(
        (samples) => {
          // Decoders may drop the last hundredths of a second.
          const seconds = length || samples.length / rate;
          return [spectrum(samples, rate, width, height, seconds * rate), seconds];
        },
        () => null
      ));
      if (this.kept.size > 50) this.kept.delete(this.kept.keys().next().value);
    }
    const found = await this.kept.get(uri);
    if (this.wanted !== uri) return true; // another one was asked for in the meantime
    this.box.hidden = !found;
    if (!found) return false;
    const [levels, seconds] = found;
    this.seconds = seconds;
    paint(this.canvas, levels);
    const share = (time) => 100 * Math.min(Math.max(time / seconds, 0), 1);
    [share(from), 100 - share(to)].forEach((width, side) => {
      this.shades[side].style.width = `${width}%`;
      this.shades[side].hidden = !width;
    });
    const top = mel(rate / 2), ticks = [500, 1000, 2000, 4000, 8000].filter((hz) => hz < 0.8 * (rate / 2));
    this.scale.replaceChildren(...ticks.map((hz) => {
      const tick = element("span", {}, hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`);
      tick.style.bottom = `${(100 * mel(hz)) / top}%`;
      return tick;
    }));
    return true;
  }

  /** Move the line that shows what plays; null to hide it. */
  follow(position) {
    this.head.hidden = position === null;
    if (position !== null) this.head.style.left = `${Math.min((100 * position) / this.seconds, 100)}%`;
  }
}
