/* Parts of pages that are drawn anew while something runs, and files that are too large told before they are sent. */

const told = document.querySelector("#told");

function follow(box) {
  const source = new EventSource(box.dataset.events);
  source.addEventListener("part", (event) => {
    box.innerHTML = event.data;
    const now = box.firstElementChild?.dataset.told ?? "";
    if (told && told.textContent !== now) told.textContent = now;
  });
  source.addEventListener("end", (event) => {
    source.close();
    if (event.data) location.assign(event.data);
    else location.reload();
  });
  addEventListener("pagehide", () => source.close());
}

function check(input) {
  const large = [...input.files].some((file) => file.size > Number(input.dataset.most));
  input.setCustomValidity(large ? input.dataset.tooLarge : "");
  input.reportValidity();
}

for (const box of document.querySelectorAll("[data-events]")) follow(box);
for (const input of document.querySelectorAll("input[data-most]")) {
  input.addEventListener("change", () => check(input));
}
