// More results while one scrolls: the pager's link is followed in place. A few times by itself, then when it is asked to,
// so that the foot of the page can be reached; coming back, the pages that were there are there again.

import { fetched, made, number, patiently, tell, words } from "./window-page.js";

const BY_ITSELF = 3;
const AHEAD = "600px";
let observer;

export function scrollOn() {
  observer?.disconnect();
  const results = document.getElementById("results");
  if (!results || !next()) return;
  let left = BY_ITSELF;
  observer = new IntersectionObserver((seen) => {
    if (left > 0 && seen.some((one) => one.isIntersecting)) {
      left -= 1;
      more(results);
    }
  }, { rootMargin: AHEAD });
  comeBack(results).then(() => { if (next()) observer.observe(next()); });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-more]");
  const results = document.getElementById("results");
  if (!link || !results || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  more(results, true);
});

addEventListener("pagehide", () => {
  if (history.state?.more) history.replaceState({ ...history.state, top: scrollY }, "");
});

const next = () => document.querySelector("a[rel=next][data-more]");

let loading = null;

async function more(results, asked = false) {
  if (loading) return loading;
  loading = append(results, asked).finally(() => { loading = null; });
  return loading;
}

async function append(results, asked) {
  const link = next();
  if (!link) return;
  const ghosts = Array.from({ length: 4 }, () => made("li", { className: "card-ghost skeleton", ariaHidden: "true" }));
  try {
    const html = await patiently(fetched(link.href, { part: true }), () => results.append(...ghosts), () => ghosts.forEach((one) => one.remove()));
    const part = made("template", { innerHTML: html }).content;
    const cards = [...part.querySelectorAll("li[data-product]")];
    const following = part.querySelector("a[data-more]");
    results.append(...cards);
    if (following) link.href = following.href;
    else link.remove();
    history.replaceState({ ...history.state, more: (history.state?.more ?? 0) + 1 }, "");
    tell(words("more", { n: number(cards.length) }));
    if (asked) cards[0]?.querySelector("a[href]")?.focus({ preventScroll: true });
    if (following && observer) { // so that it is looked at anew where it still is in sight
      observer.unobserve(link);
      observer.observe(link);
    }
  } catch {
    observer?.disconnect();
    if (asked) location.assign(link.href); // the page itself says what is wrong
  }
}

async function comeBack(results) {
  const { more: pages = 0, top = 0 } = history.state ?? {};
  if (!pages) return;
  history.replaceState({ ...history.state, more: 0 }, "");
  for (let page = 0; page < pages && next(); page += 1) await more(results);
  scrollTo(0, top);
}
