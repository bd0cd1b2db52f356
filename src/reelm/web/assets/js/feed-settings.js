// <reelm-feed-settings>: each choice is saved as it is made; one that is refused goes back.
import { wireForms } from "reelm/api-form.js";
import { call } from "reelm/api.js";
import { toast } from "reelm/toast.js";

wireForms();

class FeedSettings extends HTMLElement {
  connectedCallback() {
    for (const form of this.querySelectorAll("form[data-setting]")) {
      form.addEventListener("submit", (event) => event.preventDefault());
      form.addEventListener("change", ({ target }) => this.save(form, target));
    }
  }

  async save(form, field) {
    const problem = form.querySelector("[data-error]");
    problem.hidden = true;
    try {
      await call("PATCH", "/api/feed/settings", { [field.name]: value(form, field) });
      field.dataset.kept = field.value;
      toast("Saved");
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      if (field.type === "checkbox") field.checked = !field.checked;
      else field.value = field.dataset.kept ?? field.defaultValue;
    }
  }
}

/** A chip stands for its whole list. */
function value(form, field) {
  if (field.type === "range") return field.valueAsNumber;
  if (!("lists" in form.dataset)) return field.checked;
  return [...form.elements].filter((one) => one.name === field.name && one.checked).map((one) => one.value);
}

customElements.define("reelm-feed-settings", FeedSettings);
