// The settings page: forms, this browser's preferences, the picture, new recovery codes.
import { wireForms } from "reelm/api-form.js";
import { call } from "reelm/api.js";
import { preferences } from "reelm/preferences.js";
import { toast } from "reelm/toast.js";

const AVATAR_PX = 512;

wireForms();

class Preferences extends HTMLElement {
  connectedCallback() {
    const { muted, captions, saver } = Object.fromEntries([...this.querySelectorAll("[type=checkbox]")].map((box) => [box.name, box]));
    muted.checked = preferences.isMuted();
    captions.checked = preferences.wantsCaptions();
    saver.checked = preferences.ownSaver();
    for (const radio of this.querySelectorAll("[name=theme]")) radio.checked = radio.value === preferences.theme();
    this.addEventListener("change", ({ target }) => {
      if (target.name === "theme") preferences.setTheme(target.value);
      if (target === muted) preferences.setMuted(target.checked);
      if (target === captions) preferences.setCaptions(target.checked);
      if (target === saver) preferences.setSaver(target.checked);
    });
  }
}
customElements.define("reelm-preferences", Preferences);

class AvatarChooser extends HTMLElement {
  connectedCallback() {
    this.querySelector("input").addEventListener("change", ({ target }) => target.files[0] && this.send(target));
    this.querySelector("[data-remove]").addEventListener("click", () => this.remove());
  }

  async send(input) {
    try {
      const picture = await square(input.files[0]);
      await call("PUT", "/api/me/avatar", picture);
      const shown = document.createElement("img");
      shown.className = "avatar large";
      shown.alt = "";
      shown.src = URL.createObjectURL(picture);
      this.querySelector("[data-picture]").replaceChildren(shown);
      this.querySelector("[data-remove]").hidden = false;
      toast("Picture changed");
    } catch (error) {
      toast(error.message);
    }
    input.value = "";
  }

  async remove() {
    try {
      await call("DELETE", "/api/me/avatar");
      location.reload();
    } catch (error) {
      toast(error.message);
    }
  }
}
customElements.define("reelm-avatar", AvatarChooser);

/** Cut square and drawn anew, so that a photo's place and time never leave the device. */
async function square(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error("This picture cannot be read. Choose a JPEG, PNG or WebP.");
  }
  const side = Math.min(bitmap.width, bitmap.height);
  const size = Math.min(side, AVATAR_PX);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, size, size);
  pen.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, size, size);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}

document.addEventListener("reelm:saved", ({ target, detail }) => {
  if (target.dataset.show !== "recovery_codes") return;
  const list = document.createElement("ul");
  list.className = "codes";
  for (const code of detail.recovery_codes) {
    const item = document.createElement("li");
    item.textContent = code;
    list.append(item);
  }
  const words = document.createElement("p");
  words.className = "notice good";
  words.textContent = "Keep these now. They are not shown again.";
  const place = document.querySelector("[data-codes]");
  place.replaceChildren(words, list);
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
});
