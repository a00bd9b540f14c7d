// What the shop window does beyond its pages: each part starts where its mark-up is, and misses nothing where it is not.

import { watchFeedback } from "./window-feedback.js";
import { streamMarks } from "./window-marks.js";
import { takePhotos } from "./window-photo.js";
import { pickRegions } from "./window-region.js";
import { scrollOn } from "./window-scroll.js";
import { suggest } from "./window-suggest.js";
import { followInPlace } from "./window-visit.js";

function closeByEscape() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    const open = event.target.closest?.("details[open]") ?? document.querySelector("details:is(.way, .doors, .search-by-photo)[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}

function enliven() {
  suggest();
  takePhotos();
  scrollOn();
  pickRegions();
  streamMarks();
}

watchFeedback();
closeByEscape();
followInPlace(enliven);
enliven();
