// Forms that speak to the JSON API: <form data-api="PATCH /api/me">; errors stay beside the fields.
// Then data-done is said, or with data-tell the `detail` of the answer.
import { call } from "reelm/api.js";
import { toast, toastOnNextPage } from "reelm/toast.js";

export function wireForms(root = document) {
  for (const form of root.querySelectorAll("form[data-api]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
    // A lone switch saves itself.
    if ("now" in form.dataset) form.addEventListener("change", () => send(form));
  }
}

function read(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || "skip" in field.dataset) continue;
    if (field.type === "checkbox") body[field.name] = field.checked;
    else if ("lines" in field.dataset) body[field.name] = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
    else if (field.name === "language") body[field.name] = field.value || null;
    else body[field.name] = field.value;
  }
  return body;
}

async function send(form) {
  const [method, url] = form.dataset.api.split(" ");
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
  const button = form.querySelector("button:not([type=button])");
  const problem = form.querySelector("[data-error]");
  problem.hidden = true;
  if (button) button.disabled = true;
  try {
    const answer = await call(method, url, read(form));
    if ("clear" in form.dataset) form.reset();
    const { go } = form.dataset;
    const done = "tell" in form.dataset ? answer.detail : form.dataset.done;
    if (done && go) toastOnNextPage(done);
    else if (done) toast(done);
    if (go) location.assign(go);
    form.dispatchEvent(new CustomEvent("reelm:saved", { detail: answer, bubbles: true }));
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    if ("now" in form.dataset) form.reset();
  }
  if (button) button.disabled = false;
}
