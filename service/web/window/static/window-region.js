// The part of the photo that is meant: a frame drawn by mouse, finger or keys, or one of the things that were found.

import { fetched, made, words } from "./window-page.js";
import { visit } from "./window-visit.js";

const LEAST = 0.04;
const STEP = 0.02;
const DRAG = 5;
const TALLEST = "18rem";

export function pickRegions() {
  const figure = document.querySelector("figure[data-regions][data-photo]");
  const image = figure?.querySelector("img");
  if (!image || figure.dataset.lively) return;
  figure.dataset.lively = "1";
  new Picker(figure, image);
}

class Picker {
  constructor(figure, image) {
    this.stage = made("span", { className: "region-stage" });
    image.draggable = false;
    const shape = image.width && image.getAttribute("width") / image.getAttribute("height");
    if (shape) Object.assign(this.stage.style, { aspectRatio: shape, maxWidth: `calc(${TALLEST} * ${shape})` }); // no empty edges
    image.before(this.stage);
    this.frame = made("button", { type: "button", className: "region-frame", ariaLabel: words("box") }, made("span", { className: "region-handle" }));
    this.search = made("button", { type: "button", className: "region-search", textContent: words("searchPart"), hidden: true });
    this.stage.append(image, this.frame);
    this.stage.after(this.search);
    figure.querySelector("[data-pick]")?.replaceWith(made("span", { className: "quiet-text", textContent: words("draw") }));
    const asked = new URL(location).searchParams.get("box")?.split(",").map(Number);
    this.start = asked?.length === 4 && asked.every(Number.isFinite) ? asked : null;
    this.place(this.start ?? [0.2, 0.2, 0.6, 0.6]);
    this.frame.classList.toggle("idle", !this.start);
    this.frame.addEventListener("focus", () => this.shown(true));
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.frame.addEventListener("click", (event) => { if (!event.detail) this.go(this.box); }); // by key, not by mouse
    this.search.addEventListener("click", () => this.go(this.box));
    this.stage.addEventListener("pointerdown", (event) => this.down(event));
    this.stage.addEventListener("click", (event) => { if (this.dragged) event.stopPropagation(); this.dragged = false; }, true);
    this.find(figure.dataset.photo);
  }

  async find(photo) {
    try {
      const { regions } = JSON.parse(await fetched(`/photo/${encodeURIComponent(photo)}/regions`));
      const parts = regions.filter(([, , width, height]) => width * height < 0.9);
      this.stage.append(...parts.map((box, at) => {
        const part = made("button", { type: "button", className: "region-found", ariaLabel: words("part", { n: at + 1 }) });
        lay(part, box);
        part.addEventListener("click", () => this.go(box));
        return part;
      }));
    } catch { /* nothing was found on it: a frame can be drawn all the same */ }
  }

  place(box) {
    this.box = box;
    lay(this.frame, box);
  }

  shown(on) {
    this.frame.classList.toggle("idle", !on);
    this.search.hidden = !on;
  }

  down(event) {
    if (event.button) return;
    const from = this.point(event), before = this.box;
    const onFrame = event.target.closest(".region-frame:not(.idle)");
    const resizes = event.target.closest(".region-handle");
    const move = (moved) => {
      const to = this.point(moved);
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      if (!this.dragged && Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) < DRAG) return;
      this.dragged = true;
      this.stage.setPointerCapture(event.pointerId);
      if (resizes) this.place(sized(before, dx, dy));
      else if (onFrame) this.place(shifted(before, dx, dy));
      else this.place(between(from, to));
      this.shown(true);
    };
    const up = () => {
      this.stage.removeEventListener("pointermove", move);
      this.stage.removeEventListener("pointercancel", up);
      if (!this.dragged) return;
      if (this.box[2] < LEAST || this.box[3] < LEAST) this.place(before);
      this.frame.focus({ preventScroll: true });
      setTimeout(() => { this.dragged = false; }); // after the click that ends a drag
    };
    this.dragged = false;
    this.stage.addEventListener("pointermove", move);
    this.stage.addEventListener("pointerup", up, { once: true });
    this.stage.addEventListener("pointercancel", up, { once: true });
  }

  key(event) {
    const [dx, dy] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [];
    if (dx !== undefined) {
      event.preventDefault();
      this.place(event.shiftKey ? sized(this.box, dx, dy) : shifted(this.box, dx, dy));
    } else if (event.key === "Escape") {
      this.place(this.start ?? [0.2, 0.2, 0.6, 0.6]);
      this.shown(Boolean(this.start));
    }
  }

  point(event) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    return [held((event.clientX - left) / width), held((event.clientY - top) / height)];
  }

  go(box) {
    const url = new URL(location);
    ["cursor", "generated", "parts"].forEach((name) => url.searchParams.delete(name));
    url.searchParams.set("box", shares(box).join(","));
    visit(url.href);
  }
}

const held = (share, least = 0, most = 1) => Math.min(Math.max(share, least), most);

function between([ax, ay], [bx, by]) {
  return [Math.min(ax, bx), Math.min(ay, by), Math.abs(ax - bx), Math.abs(ay - by)];
}

function shifted([left, top, width, height], dx, dy) {
  return [held(left + dx, 0, 1 - width), held(top + dy, 0, 1 - height), width, height];
}

function sized([left, top, width, height], dx, dy) {
  return [left, top, held(width + dx, LEAST, 1 - left), held(height + dy, LEAST, 1 - top)];
}

/** To thousandths, and never beyond the photo's edge. */
function shares([left, top, width, height]) {
  return [Math.round(left * 1000), Math.round(top * 1000), Math.floor(width * 1000), Math.floor(height * 1000)].map((one) => one / 1000);
}

function lay(element, box) {
  ["left", "top", "width", "height"].forEach((side, at) => { element.style[side] = `${box[at] * 100}%`; });
}
