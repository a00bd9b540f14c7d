// Filters, orders and chips without a new page: the address is fetched and its content put in place of this one.
// Whatever goes wrong, the link is followed as any other.

import { fetched, patiently, tell, words } from "./window-page.js";

let enliven = () => {};
let visiting = null;

/** `restart` starts the parts again on new content. */
export function followInPlace(restart) {
  enliven = restart;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("main a[href]");
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
    if (link.target || link.hasAttribute("download") || !isSearch(new URL(link.href))) return;
    event.preventDefault();
    visit(link.href, label(link));
  });
  document.addEventListener("submit", (event) => {
    const form = event.target, sender = event.submitter;
    if (event.defaultPrevented || form.id === "search" || form.method !== "get" || sender?.hasAttribute("formaction")) return;
    const url = new URL(form.action);
    url.search = new URLSearchParams([...new FormData(form, sender)].filter(([, value]) => value !== "")).toString();
    if (!form.closest("main") || !isSearch(url)) return;
    event.preventDefault();
    visit(url.href, label(sender));
  });
  addEventListener("popstate", (event) => {
    if (event.state?.visit) show(location.href).then((shown) => { if (shown && !history.state?.more) scrollTo(0, history.state?.top ?? 0); });
  });
}

/** Another search, in place where there are results already. */
export async function visit(url, focused = "") {
  if (!isSearch(new URL(url, location))) return location.assign(url);
  history.replaceState({ ...history.state, visit: true, top: scrollY }, "");
  const shown = await show(url, focused, () => history.pushState({ visit: true }, "", url));
  if (shown && document.getElementById("results")?.getBoundingClientRect().top < 0) scrollTo(0, 0);
}

function isSearch(url) {
  const own = url.origin === location.origin && url.pathname === "/" && location.pathname === "/";
  return own && ["q", "like", "photo"].some((name) => url.searchParams.get(name)) && document.getElementById("results");
}

async function show(url, focused = "", arrived = () => {}) {
  visiting?.abort();
  const mine = visiting = new AbortController();
  const main = document.querySelector("main");
  try {
    const waiting = (on) => { main.classList.toggle("waiting", on); if (on) tell(words("busy")); };
    const html = await patiently(fetched(url, { signal: mine.signal }), () => waiting(true), () => waiting(false));
    const page = new DOMParser().parseFromString(html, "text/html");
    arrived();
    put(page, main, focused);
    return true;
  } catch {
    if (!mine.signal.aborted) location.assign(url);
    return false;
  }
}

function put(page, main, focused) {
  const open = new Set([...main.querySelectorAll("details[open]:not(#results *) > summary")].map(label));
  main.replaceChildren(...page.querySelector("main").childNodes);
  main.querySelectorAll("details:not(#results *) > summary").forEach((one) => { if (open.has(label(one))) one.parentElement.open = true; });
  document.title = page.title;
  follow(document.querySelector(".masthead #search"), page.getElementById("search"));
  const same = focused && [...main.querySelectorAll("a[href], button, summary")].find((one) => label(one) === focused);
  (same || main).focus({ preventScroll: true });
  const said = main.querySelector("#count, h1")?.textContent ?? "";
  enliven();
  const told = () => document.getElementById("told")?.textContent;
  const begun = told();
  // a live region that is new says nothing of what it begins with; what was told since is not talked over
  setTimeout(() => { if (told() === begun) tell(said.trim()); }, 50);
}

/** The search field stays, with all that listens to it; what it searches with is the new page's. */
function follow(form, other) {
  if (!form || !other) return;
  form.querySelectorAll("input[type=hidden], .search-photo").forEach((one) => one.remove());
  form.prepend(...other.querySelectorAll("input[type=hidden], .search-photo"));
  form.elements.q.value = other.elements.q.value;
}

/** What a control says, but for numbers, which change. */
function label(element) {
  return element?.textContent.replace(/[\d\s.,()×✓]+/g, "") ?? "";
}
