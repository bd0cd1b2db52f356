// One way to talk to the JSON API: same origin, problem details turned into errors with a sentence.
export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

const TIMEOUT_MS = 20000;

export async function call(method, url, body, { signal } = {}) {
  const headers = { accept: "application/json" };
  let payload = body;
  if (body !== undefined && !(body instanceof Blob)) {
    headers["content-type"] = "application/json";
    payload = JSON.stringify(body);
  } else if (body instanceof Blob) {
    headers["content-type"] = body.type || "application/octet-stream";
  }
  let response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: payload,
      credentials: "same-origin",
      signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new ApiError(0, offlineSentence(cause));
  }
  const data = await parse(response);
  if (!response.ok) {
    throw new ApiError(response.status, data?.detail || data?.title || `The server answered ${response.status}.`);
  }
  return data;
}

function offlineSentence(cause) {
  if (navigator.onLine === false) return "You are offline. Try again when the connection is back.";
  if (cause?.name === "TimeoutError") return "The server took too long to answer. Try again.";
  return "The server could not be reached. Try again.";
}

async function parse(response) {
  if (response.status === 204) return null;
  const kind = response.headers.get("content-type") ?? "";
  if (!kind.includes("json")) return null;
  try {
    return await response.json();
  } catch {
    return null;
  }
}

export const viewer = {
  get id() {
    return document.body.dataset.viewerId ?? null;
  },
  get handle() {
    return document.body.dataset.viewerHandle ?? null;
  },
  get isSignedIn() {
    return Boolean(this.id);
  },
};
