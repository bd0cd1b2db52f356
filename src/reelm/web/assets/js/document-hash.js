// Fills in the SHA-256 of a document that is chosen; the document itself never leaves the browser.
class DocumentHash extends HTMLElement {
  connectedCallback() {
    const chooser = this.querySelector("[data-choose]");
    const digest = this.querySelector("[name=document_digest]");
    // Browsers compute digests on https and on this machine only.
    if (!globalThis.crypto?.subtle) return;
    chooser.hidden = false;
    chooser.querySelector("input").addEventListener("change", async ({ target }) => {
      const [file] = target.files;
      digest.value = file ? await sha256(file) : "";
    });
  }
}

async function sha256(file) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

customElements.define("reelm-document-hash", DocumentHash);
