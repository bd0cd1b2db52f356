// What every page shares: readable times, password reveal, recovery codes, buttons that call the API.
import { call } from "reelm/api.js";
import { softenTimes } from "reelm/text.js";
import { sayKept, toast } from "reelm/toast.js";

softenTimes();
sayKept();

document.addEventListener("click", (event) => {
  const reveal = event.target.closest("[data-reveal]");
  if (reveal) return toggleReveal(reveal);
  const button = event.target.closest("button[data-api]");
  if (button) act(button);
});

for (const button of document.querySelectorAll("[data-put-away]")) {
  button.hidden = false;
  button.addEventListener("click", () => button.closest("aside").remove());
}

function toggleReveal(button) {
  const input = button.parentElement.querySelector("input");
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  button.setAttribute("aria-label", shown ? "Hide password" : "Show password");
}

async function act(button) {
  const [method, url] = button.dataset.api.split(" ");
  if (button.dataset.confirm && !confirm(button.dataset.confirm)) return;
  button.disabled = true;
  try {
    await call(method, url);
    if (button.dataset.done) toast(button.dataset.done);
    if (button.dataset.after === "remove") button.closest("li")?.remove();
  } catch (error) {
    toast(error.message);
  } finally {
    button.disabled = false;
  }
}

// A form that was sent once is not sent twice by an impatient thumb.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  const button = event.target.querySelector("button:not([type=button])");
  setTimeout(() => button?.setAttribute("disabled", ""));
});
addEventListener("pageshow", () => {
  document.querySelectorAll("form[method=post] button[disabled]").forEach((button) => button.removeAttribute("disabled"));
});

class RecoveryCodes extends HTMLElement {
  connectedCallback() {
    const codes = [...this.querySelectorAll("li")].map((li) => li.textContent.trim()).join("\n");
    const copy = this.querySelector("[data-copy]");
    const save = this.querySelector("[data-save]");
    copy.hidden = save.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(codes);
      toast("Copied");
    });
    save.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`Reelm recovery codes\n${location.host}\n\n${codes}\n`], { type: "text/plain" }));
      link.download = "reelm-recovery-codes.txt";
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
}
customElements.define("reelm-codes", RecoveryCodes);
