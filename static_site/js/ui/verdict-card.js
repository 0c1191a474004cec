/** The verdict in words, with the reasons and the errors measured on images like this one. */

import { part } from "./part.js";

/** @typedef {import("../api.js").Detection} Detection */
/** @typedef {import("../messages.js").Messages} Messages */

/** @type {Record<string, {headline: string, body: string, bodyWithoutNumbers: string}>} */
const COPY = {
  likely_ai: {
    headline: "script.headline.likely_ai",
    body: "script.body.likely_ai",
    bodyWithoutNumbers: "script.body.likely_ai_unmeasured",
  },
  inconclusive: {
    headline: "script.headline.inconclusive",
    body: "script.body.inconclusive",
    bodyWithoutNumbers: "script.body.inconclusive",
  },
  no_ai_signs_found: {
    headline: "script.headline.no_ai_signs_found",
    body: "script.body.no_ai_signs_found",
    bodyWithoutNumbers: "script.body.no_ai_signs_found_unmeasured",
  },
  not_applicable: {
    headline: "script.headline.not_applicable",
    body: "script.body.not_applicable",
    bodyWithoutNumbers: "script.body.not_applicable",
  },
};

/** @type {Record<string, string>} */
const REASONS = {
  score_high: "script.reason.score_high",
  score_middle: "script.reason.score_middle",
  score_low: "script.reason.score_low",
  unstable_under_resave: "script.reason.unstable_under_resave",
  small_image: "script.reason.small_image",
  few_frames: "script.reason.few_frames",
  video_not_measured: "script.reason.video_not_measured",
  strongly_compressed: "script.reason.strongly_compressed",
  flat_graphic: "script.reason.flat_graphic",
  text_or_drawing: "script.reason.text_or_drawing",
};

/** What is said of a video instead.
 * @type {Record<string, {body: string, bodyWithoutNumbers: string}>} */
const VIDEO_COPY = {
  likely_ai: { body: "script.video.likely_ai", bodyWithoutNumbers: "script.video.likely_ai_unmeasured" },
  no_ai_signs_found: {
    body: "script.video.no_ai_signs_found",
    bodyWithoutNumbers: "script.video.no_ai_signs_found_unmeasured",
  },
};

/** What "We can't tell" says when the score is not the reason.
 * @type {Record<string, string>} */
const UNCERTAIN_BODIES = {
  unstable_under_resave: "script.body.unstable_under_resave",
  small_image: "script.body.small_image",
  strongly_compressed: "script.body.strongly_compressed",
  few_frames: "script.body.few_frames",
  video_not_measured: "script.body.video_not_measured",
};

/** @type {Record<string, string>} */
const WARNINGS = {
  larger_than_measured: "script.warning.larger_than_measured",
  incomplete_video: "script.warning.incomplete_video",
  beginning_only: "script.warning.beginning_only",
};

export class VerdictCard {
  #root = part("verdict-card", HTMLElement);
  #headline = part("verdict", HTMLElement);
  #body = part("verdict-body", HTMLElement);
  #extent = part("verdict-extent", HTMLElement);
  #reasons = part("reasons", HTMLUListElement);
  #messages;

  /** @param {Messages} messages */
  constructor(messages) {
    this.#messages = messages;
  }

  /**
   * @param {Detection} detection
   * @returns {string} the headline
   */
  show(detection) {
    const verdict = knownVerdict(detection);
    const headline = headlineOf(detection, this.#messages);
    this.#root.dataset.verdict = verdict;
    for (const icon of this.#root.querySelectorAll(".verdict-icon")) {
      if (icon instanceof HTMLElement) icon.hidden = icon.dataset.verdict !== verdict;
    }
    this.#headline.textContent = headline;
    this.#body.textContent = this.#bodyText(verdict, detection);
    this.#showExtent(detection);
    this.#reasons.replaceChildren(
      ...detection.reasons.filter((code) => code in REASONS).map((code) => this.#item(REASONS[code])),
      ...detection.warnings.filter((code) => code in WARNINGS).map((code) => this.#item(WARNINGS[code])),
    );
    return headline;
  }

  focus() {
    this.#headline.focus();
  }

  /**
   * How much of a video the answer is about.
   * @param {Detection} detection
   */
  #showExtent({ frames, analysed_seconds: seconds }) {
    this.#extent.hidden = !frames;
    if (!frames) return;
    this.#extent.textContent = this.#messages.text("script.video.extent", {
      frames: this.#messages.integer(frames.length),
      seconds: this.#messages.seconds(seconds ?? 0),
    });
  }

  /**
   * @param {string} verdict
   * @param {Detection} detection
   */
  #bodyText(verdict, { expected_errors: errors, reasons, media, segments }) {
    const uncertain = reasons.find((code) => code in UNCERTAIN_BODIES);
    if (verdict === "inconclusive" && uncertain) return this.#messages.text(UNCERTAIN_BODIES[uncertain]);
    const copy = media.kind === "video" && verdict in VIDEO_COPY ? VIDEO_COPY[verdict] : COPY[verdict];
    const stretches = this.#messages.all((segments ?? []).map(({ start, end }) => this.#messages.stretch(start, end)));
    if (!errors) return this.#messages.text(copy.bodyWithoutNumbers, { stretches });
    return this.#messages.text(copy.body, {
      stretches,
      flagged: this.#messages.integer(errors.false_positive_rate * errors.n_real),
      photographs: this.#messages.integer(errors.n_real),
      missed: this.#messages.integer(errors.miss_rate * errors.n_ai),
      images: this.#messages.integer(errors.n_ai),
    });
  }

  /** @param {string} key */
  #item(key) {
    const item = document.createElement("li");
    item.textContent = this.#messages.text(key);
    return item;
  }
}

/**
 * A verdict that this page does not know yet must not be shown as one that it knows.
 * @param {Detection} detection
 */
export function knownVerdict({ verdict }) {
  return verdict in COPY ? verdict : "inconclusive";
}

/**
 * @param {Detection} detection
 * @param {Messages} messages
 */
export function headlineOf(detection, messages) {
  return messages.text(COPY[knownVerdict(detection)].headline);
}
