// Marks of what was verified, on the cards that are there already, as they become known.

import { number, tell, words } from "./window-page.js";

let source;

export function streamMarks() {
  source?.close();
  const results = document.getElementById("results");
  const url = results?.dataset.marksUrl;
  if (!url) return;
  tell(words("checking"));
  source = new EventSource(url);
  const on = (name, act) => source.addEventListener(name, (event) => act(JSON.parse(event.data)));
  const end = (said) => { source.close(); results.removeAttribute("aria-busy"); tell(said); };
  results.setAttribute("aria-busy", "true");
  on("verdict", ({ product, html }) => mark(results, product, html));
  on("end", ({ order, verified, wanted }) => {
    arrange(results, order);
    end(words("checked", { n: number(verified), of: number(wanted) }));
  });
  on("fault", ({ told }) => end(told));
  source.onerror = () => end(words("failed")); // closed for good: a check is not paid for twice
}

function card(results, product) {
  return results.querySelector(`li[data-product="${CSS.escape(product)}"]`);
}

function mark(results, product, html) {
  const place = card(results, product)?.querySelector("[data-marks]");
  if (place) place.innerHTML = html;
}

/** As the checks rank them, unless somebody is at it: nothing moves away from under a hand. */
function arrange(results, order) {
  const cards = order.map((product) => card(results, product)).filter(Boolean);
  const first = [...results.querySelectorAll("li[data-product]")].slice(0, cards.length);
  if (cards.every((one, place) => one === first[place])) return;
  if (results.contains(document.activeElement) || results.matches(":hover") || scrollY > innerHeight) return;
  const move = () => cards.reverse().forEach((one) => results.prepend(one));
  if (document.startViewTransition) document.startViewTransition(move);
  else move();
}
