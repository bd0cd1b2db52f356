// Short messages that come, are read out, and go.
const SHOWN_MS = 4500;
// Who reads slowly reads some seventeen letters in a second.
const LETTER_MS = 60;

export function toast(message, action) {
  const place = document.getElementById("toasts");
  const line = document.createElement("div");
  line.className = "toast";
  const words = document.createElement("p");
  words.textContent = message;
  line.append(words);
  const remove = () => line.remove();
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = action.name;
    button.addEventListener("click", () => {
      remove();
      action.do();
    });
    line.append(button);
  }
  place.replaceChildren(line);
  setTimeout(remove, Math.max(action ? SHOWN_MS * 2 : SHOWN_MS, message.length * LETTER_MS));
  return remove;
}

const NEXT = "reelm.toast";

/** Says it on the page that is opened next, by `sayKept` there. */
export function toastOnNextPage(message) {
  try {
    sessionStorage.setItem(NEXT, message);
  } catch {
    // The browser refuses storage: the next page shows what was done all the same.
  }
}

export function sayKept() {
  try {
    const message = sessionStorage.getItem(NEXT);
    sessionStorage.removeItem(NEXT);
    if (message) toast(message);
  } catch {
    // As above.
  }
}
