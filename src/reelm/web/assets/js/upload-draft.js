// Remembers an unfinished upload across a reload: its address, its words and, in IndexedDB, the file itself.
const NAME = "reelm";
const STORE = "draft";
const KEY = "upload";

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run(mode, deed) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = deed(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** draft: {file, owner, uploadUrl, videoId, caption, audience, language}. */
export async function saveDraft(draft) {
  try {
    await run("readwrite", (store) => store.put(draft, KEY));
  } catch {
    // No room, or a private window: then the upload just cannot outlive this page.
  }
}

export async function readDraft() {
  try {
    return (await run("readonly", (store) => store.get(KEY))) ?? null;
  } catch {
    return null;
  }
}

export async function forgetDraft() {
  try {
    await run("readwrite", (store) => store.delete(KEY));
  } catch {
    // Nothing was kept.
  }
}
