// A photo to search with: chosen, taken, pasted or dropped; made smaller here, and sent with the form's words.

import { made, tell, words } from "./window-page.js";

const SIDE = 1600;
const QUALITY = 0.9;

export function takePhotos() {
  const input = field();
  if (!input || input.dataset.lively) return;
  input.dataset.lively = "1";
  input.addEventListener("change", () => take(input.files[0]));
  input.form.addEventListener("formdata", ({ formData }) => {
    const said = formData.getAll("photo").filter((one) => typeof one === "string" || one.size);
    formData.delete("photo"); // a field without a file would stand in the address
    said.forEach((one) => formData.append("photo", one));
  });
  if (!curtain.isConnected) catchPhotos();
}

const curtain = made("div", { className: "drop-curtain", hidden: true });
const field = () => document.querySelector("#search input[type=file][name=photo]");
const holdsFiles = (event) => field() && event.dataTransfer?.types.includes("Files");

function catchPhotos() {
  curtain.textContent = words("drop");
  document.body.append(curtain);
  document.addEventListener("paste", (event) => {
    const file = picture(event.clipboardData?.files);
    if (!file || !field()) return;
    event.preventDefault();
    take(file);
  });
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    curtain.hidden = false;
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) curtain.hidden = true; });
  document.addEventListener("drop", (event) => {
    curtain.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    const file = picture(event.dataTransfer.files);
    if (file) take(file);
    else tell(words("noPhoto"));
  });
  addEventListener("pageshow", () => { // back from the photo's results, the form is as new
    document.getElementById("search")?.classList.remove("busy");
    if (field()) field().value = "";
  });
}

function picture(files) {
  return [...(files ?? [])].find((file) => file.type.startsWith("image/"));
}

async function take(file) {
  if (!file) return;
  const input = field(), held = new DataTransfer();
  held.items.add(await smaller(file));
  input.files = held.files;
  setTimeout(() => { input.form.classList.add("busy"); tell(words("uploading")); }, 300);
  input.form.requestSubmit(input.form.querySelector("[formaction='/photo']"));
}

/** The picture with no side over SIDE, as JPEG; itself where it is small, or where this browser cannot read it. */
async function smaller(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = SIDE / Math.max(bitmap.width, bitmap.height);
    if (scale >= 1) return file;
    const canvas = made("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff"; // what is transparent is searched on white
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return blob ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file;
  } catch {
    return file; // the service says what is wrong with it
  }
}
