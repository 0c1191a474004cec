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

/** What "We can't tell" says when the score is not the reason.
 * @type {Record<string, string>} */
const UNCERTAIN_BODIES = {
  unstable_under_resave: "script.body.unstable_under_resave",
  small_image: "script.body.small_image",
  strongly_compressed: "script.body.strongly_compressed",
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
    // A verdict that this page does not know yet must not be shown as one that it knows.
    const verdict = detection.verdict in COPY ? detection.verdict : "inconclusive";
    const headline = this.#messages.text(COPY[verdict].headline);
    this.#root.dataset.verdict = verdict;
    for (const icon of this.#root.querySelectorAll(".verdict-icon")) {
      if (icon instanceof HTMLElement) icon.hidden = icon.dataset.verdict !== verdict;
    }
    this.#headline.textContent = headline;
    this.#body.textContent = this.#bodyText(verdict, detection);
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
   * @param {string} verdict
   * @param {Detection} detection
   */
  #bodyText(verdict, { expected_errors: errors, reasons }) {
    const uncertain = reasons.find((code) => code in UNCERTAIN_BODIES);
    if (verdict === "inconclusive" && uncertain) return this.#messages.text(UNCERTAIN_BODIES[uncertain]);
    if (!errors) return this.#messages.text(COPY[verdict].bodyWithoutNumbers);
    return this.#messages.text(COPY[verdict].body, {
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
