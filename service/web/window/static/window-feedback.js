// Results that are opened, and those that were not meant: told to the shop where it wants to know, without who it was.

import { made, tell, words } from "./window-page.js";

export function watchFeedback() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("li[data-product] a[href*='/p/']");
    if (link) record("click", link.closest("li[data-product]"));
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-not-meant]");
    const card = form?.closest("li[data-product]");
    if (!card || !told(card)) return;
    event.preventDefault();
    const undo = made("button", { type: "button", className: "quiet", textContent: words("undo") });
    const noted = made("div", { className: "noted panel", tabIndex: -1 }, made("p", { textContent: words("noted") }), undo);
    undo.addEventListener("click", () => { noted.remove(); card.classList.remove("not-meant"); form.querySelector("button").focus(); });
    card.classList.add("not-meant");
    card.append(noted);
    noted.focus();
    tell(words("noted"));
  });
}

/** Once for each card, however often it is shown again. */
function told(card) {
  return card.dataset.told || (card.dataset.told = record("not_meant", card) ? "1" : "");
}

/** Whether the browser has taken it to be sent; it does so even while the page is left. */
function record(kind, card) {
  const place = card?.closest("[data-answer]");
  const url = document.querySelector("[data-feedback-url]")?.dataset.feedbackUrl;
  if (!place || !url) return false;
  const { catalog, build, query } = JSON.parse(place.dataset.answer);
  const { product, rank } = card.dataset;
  return navigator.sendBeacon(url, new URLSearchParams({ kind, catalog, build, product, rank, query: JSON.stringify(query) }));
}
