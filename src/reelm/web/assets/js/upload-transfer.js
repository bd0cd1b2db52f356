// Sends one file by tus: resumable, retried while the connection is gone, pausable.
import "tus-js-client"; // a classic bundle: it leaves its name on window

const { Upload } = window.tus;
const ENDPOINT = "/api/uploads";
const CHUNK_BYTES = 8 * 1024 * 1024; // a lost connection costs at most this, and proxies accept it
const RETRY_MS = [0, 1000, 2000, 4000, 8000, 15000, 30000];

export class Transfer extends EventTarget {
  constructor(file, { uploadUrl, metadata }) {
    super();
    this.isPaused = false;
    this.isDone = false;
    this.upload = new Upload(file, {
      endpoint: ENDPOINT,
      uploadUrl: uploadUrl ?? null,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_MS,
      metadata,
      storeFingerprintForResuming: false, // the draft remembers, with the file itself
      onUploadUrlAvailable: () => this.tell("address", this.upload.url),
      onProgress: (sent, total) => this.tell("progress", { sent, total }),
      onShouldRetry: (error) => this.shouldRetry(error),
      onError: (error) => this.tell("trouble", describe(error)),
      onSuccess: ({ lastResponse }) => {
        this.isDone = true;
        this.tell("done", lastResponse.getHeader("Reelm-Video-Id"));
      },
    });
    this.onOnline = () => !this.isPaused && !this.isDone && this.upload.start();
    addEventListener("online", this.onOnline);
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  shouldRetry(error) {
    const status = error.originalResponse?.getStatus() ?? 0;
    const isWorthIt = status === 0 || status === 409 || status === 423 || status === 429 || status >= 500;
    if (isWorthIt) this.tell("waiting", status);
    return isWorthIt;
  }

  start() {
    this.isPaused = false;
    this.upload.start();
  }

  async pause() {
    this.isPaused = true;
    await this.upload.abort();
  }

  /** Ends it here and on the server. */
  async discard() {
    this.isPaused = true;
    removeEventListener("online", this.onOnline);
    await this.upload.abort(Boolean(this.upload.url) && !this.isDone).catch(() => {});
  }
}

/** {sentence, status, isGone}: what went wrong, in the server's own words where it has some. */
function describe(error) {
  const response = error.originalResponse;
  const status = response?.getStatus() ?? 0;
  let sentence = status ? `The server answered ${status}.` : "The connection is gone. It goes on by itself when you are back online.";
  try {
    const problem = JSON.parse(response.getBody());
    sentence = problem.detail || problem.title || sentence;
  } catch {
    // No problem details in the answer.
  }
  return { sentence, status, isGone: status === 404 || status === 410 };
}
