/** A frame in which a film and what lies on it are moved, enlarged and put into another window, by mouse and keyboard. */
import { paintGrey } from "./grey.js";

const MOST_ZOOM = 16;
const STEP = 1.25;
const NEAREST = 0.02;
const SLIP = 4;

const between = (value, low, high) => Math.min(Math.max(value, low), high);

export const PLAIN = Object.freeze({ zoom: 1, x: 0.5, y: 0.5, level: 0.5, window: 1, inverted: false, bare: false });

/** How films are looked at; several stages may share one, and then move together. */
export class Looking {
  constructor() {
    Object.assign(this, PLAIN);
    this.listeners = new Set();
    this.waiting = false;
  }

  /** Take changed values, in their limits, and tell whoever listens, once a frame. */
  change(values) {
    Object.assign(this, values);
    this.zoom = between(this.zoom, 1, MOST_ZOOM);
    const half = 0.5 / this.zoom;
    this.x = between(this.x, half, 1 - half);
    this.y = between(this.y, half, 1 - half);
    this.window = between(this.window, NEAREST, 2);
    this.level = between(this.level, 0, 1);
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      for (const listener of this.listeners) listener();
    });
  }

  reset() {
    this.change({ ...PLAIN });
  }

  /** Enlarge about a point, given as shares of what is in sight. */
  zoomAt(factor, px = 0.5, py = 0.5) {
    const zoom = between(this.zoom * factor, 1, MOST_ZOOM);
    const [x, y] = [this.x + (px - 0.5) / this.zoom, this.y + (py - 0.5) / this.zoom];
    this.change({ zoom, x: x - (px - 0.5) / zoom, y: y - (py - 0.5) / zoom });
  }

  move(dx, dy) {
    this.change({ x: this.x + dx / this.zoom, y: this.y + dy / this.zoom });
  }

  /** What a key does here; true when it did something. */
  key(event) {
    const far = 0.15;
    const shifted = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
    if (event.shiftKey && shifted !== undefined) this.move(...shifted);
    else if (event.key === "z") this.zoomAt(STEP);
    else if (event.key === "x") this.zoomAt(1 / STEP);
    else if (event.key === "0") this.reset();
    else if (event.key === "i") this.change({ inverted: !this.inverted });
    else if (event.key === "h") this.change({ bare: !this.bare });
    else if (event.key === "[") this.change({ window: this.window / STEP });
    else if (event.key === "]") this.change({ window: this.window * STEP });
    else if (event.key === ",") this.change({ level: this.level - 0.03 });
    else if (event.key === ".") this.change({ level: this.level + 0.03 });
    else return false;
    event.preventDefault();
    return true;
  }
}

/** Follow `looking` in `frame`, which holds `inner`; `canvas` and `film` are null without a picture. Returns how to stop. */
export function follow(frame, inner, looking, canvas, film) {
  let painted = "";
  function draw() {
    const { zoom, x, y } = looking;
    inner.style.width = inner.style.height = `${100 * zoom}%`;
    inner.style.left = `${100 * (0.5 - x * zoom)}%`;
    inner.style.top = `${100 * (0.5 - y * zoom)}%`;
    frame.classList.toggle("zoomed", zoom > 1);
    frame.classList.toggle("bare", looking.bare);
    const window = `${looking.level} ${looking.window} ${looking.inverted}`;
    if (canvas !== null && painted !== window) paintGrey(canvas, film, looking);
    painted = window;
  }
  looking.listeners.add(draw);
  draw();
  listen(frame, looking);
  return () => looking.listeners.delete(draw);
}

function listen(frame, looking) {
  const share = (event) => {
    const box = frame.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  frame.onwheel = (event) => {
    // A wheel scrolls the page until the film has the focus; with Ctrl, and by two fingers, it always enlarges.
    if (!event.ctrlKey && !frame.parentElement.contains(document.activeElement)) return;
    event.preventDefault();
    looking.zoomAt(event.deltaY < 0 ? STEP : 1 / STEP, ...share(event));
  };
  let from = null;
  let moved = false;
  frame.onpointerdown = (event) => {
    if (event.button !== 0 && event.button !== 2) return;
    from = { x: event.clientX, y: event.clientY, grey: event.button === 2 || event.altKey };
    moved = false;
  };
  frame.onpointermove = (event) => {
    if (from === null || event.buttons === 0) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    if (!moved && Math.hypot(dx, dy) < SLIP) return;
    if (!moved) frame.setPointerCapture(event.pointerId);
    moved = true;
    const box = frame.getBoundingClientRect();
    if (from.grey) looking.change({ window: looking.window * (1 + dx / box.width), level: looking.level + (0.5 * dy) / box.height });
    else looking.move(-dx / box.width, -dy / box.height);
    Object.assign(from, { x: event.clientX, y: event.clientY });
  };
  frame.onpointerup = frame.onpointercancel = () => {
    from = null;
  };
  // The click that ends a movement chooses nothing.
  frame.addEventListener("click", (event) => moved && event.stopPropagation(), true);
  frame.oncontextmenu = (event) => event.preventDefault();
  frame.ondblclick = (event) => looking.zoomAt(event.shiftKey ? 1 / (STEP * STEP) : STEP * STEP, ...share(event));
}
