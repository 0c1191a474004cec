/** Look at a job again and again until it has ended. */

import { Cancelled, Problem } from "./problems.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./api.js").Detection} Detection */
/** @typedef {import("./api.js").PendingDetection} PendingDetection */

/** How much later a new job is looked at first: at once it is never done, and by then most images are. */
const DELAY_MS = 1_500;
const USUAL_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
const MOST_FAILURES = 6;
const MOST_WAITING_MS = 15 * 60_000;

/**
 * While the page is hidden nothing is asked for, and that time does not count. A connection that breaks and a service
 * that is down or overrun are given time to come back.
 *
 * @param {Api} api
 * @param {string} id
 * @param {{isNew: boolean, signal: AbortSignal, onJob: (job: PendingDetection) => void}} options whether it was begun
 * just now, and whom to tell how far it is
 * @returns {Promise<Detection>} rejects with Problem or Cancelled
 */
export async function follow(api, id, { isNew, signal, onJob }) {
  let failures = 0;
  let delay = isNew ? DELAY_MS : 0;
  if (isNew) await pause(delay, signal);
  for (let waited = 0; ; ) {
    await untilVisible(signal);
    let wait;
    try {
      const { job, retryAfter } = await api.look(id, signal);
      if (job.status === "succeeded") return job;
      if (job.status === "failed") throw new Problem(job.problem.code, { hasEndedTheJob: true });
      onJob(job);
      failures = 0;
      wait = Math.min(retryAfter * 1000 || USUAL_WAIT_MS, LONGEST_WAIT_MS) - delay;
      delay = 0;
    } catch (error) {
      if (!(error instanceof Problem && error.isPassing) || failures === MOST_FAILURES) throw error;
      failures += 1;
      wait = Math.min(Math.max(USUAL_WAIT_MS * 2 ** failures, error.retryAfter * 1000), LONGEST_WAIT_MS);
    }
    if (waited > MOST_WAITING_MS) throw new Problem("unfinished");
    await pause(wait, signal);
    waited += wait;
  }
}

/** @param {AbortSignal} signal */
function untilVisible(signal) {
  return document.hidden ? firstOf(signal, [[document, "visibilitychange"]]) : undefined;
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
function pause(milliseconds, signal) {
  return firstOf(signal, [[window, "online"]], milliseconds);
}

/**
 * Ends with the first of these events or after this time, and rejects with Cancelled when told so.
 * @param {AbortSignal} signal
 * @param {[EventTarget, string][]} events
 * @param {number} [milliseconds]
 * @returns {Promise<void>}
 */
function firstOf(signal, events, milliseconds) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Cancelled());
    const timer = milliseconds === undefined ? undefined : setTimeout(end, milliseconds);
    for (const [target, name] of events) target.addEventListener(name, end);
    signal.addEventListener("abort", end);

    function end() {
      clearTimeout(timer);
      for (const [target, name] of events) target.removeEventListener(name, end);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(new Cancelled());
      else resolve();
    }
  });
}
