/** The numbers behind a verdict, for those who want them. */

import { part } from "./part.js";
import { fact } from "./rows.js";

/** @typedef {import("../api.js").Detection} Detection */
/** @typedef {import("../api.js").ModelCard} ModelCard */
/** @typedef {import("../messages.js").Messages} Messages */

/** @type {Record<string, string>} */
const CONDITIONS = {
  clean: "script.condition.clean",
  web: "script.condition.web",
  hard: "script.condition.hard",
  video: "script.condition.video",
};

export class Details {
  #root = part("details", HTMLDetailsElement);
  #list = part("detail-list", HTMLDListElement);
  #messages;

  /** @param {Messages} messages */
  constructor(messages) {
    this.#messages = messages;
  }

  /**
   * @param {Detection} detection
   * @param {ModelCard | null} card
   */
  show(detection, card) {
    const { media, model, pixel, expected_errors: errors, timings_ms: timings } = detection;
    const say = this.#messages;
    const none = say.text("script.detail.none");
    const bands = (media.kind === "video" ? card?.video_bands : card?.bands) ?? null;
    /** @type {[string, string][]} */
    const rows = [
      ["script.detail.score", pixel.score === null ? none : say.score(pixel.score)],
      [
        "script.detail.bands",
        bands ? say.text("script.detail.bands_text", { low: say.percent(bands.low), high: say.percent(bands.high) }) : none,
      ],
      [
        "script.detail.stability",
        pixel.stability
          ? say.text("script.detail.stability_text", { low: say.score(pixel.stability.min), high: say.score(pixel.stability.max) })
          : none,
      ],
      ["script.detail.condition", errors && errors.condition in CONDITIONS ? say.text(CONDITIONS[errors.condition]) : none],
      [
        "script.detail.dimensions",
        say.text("script.detail.dimensions_text", { width: say.integer(media.width), height: say.integer(media.height) }),
      ],
      ...this.#duration(media.duration_seconds),
      ["script.detail.size", say.size(media.bytes)],
      ["script.detail.format", media.format.toUpperCase()],
      ["script.detail.quality", media.jpeg_quality_estimate === null ? none : say.integer(media.jpeg_quality_estimate)],
      ["script.detail.sha256", media.sha256],
      ["script.detail.model", `${model.id} ${model.version}`],
      ["script.detail.evaluation", model.evaluation_id],
      ["script.detail.id", detection.id],
      ["script.detail.time", "total" in timings ? say.milliseconds(timings.total) : none],
    ];
    this.#list.replaceChildren(...rows.map(([key, value]) => fact([say.text(key), value])));
    this.#root.open = false;
  }

  /**
   * Of a video; images have none.
   * @param {number | null} seconds
   * @returns {[string, string][]}
   */
  #duration(seconds) {
    return seconds === null ? [] : [["script.detail.duration", this.#messages.time(seconds)]];
  }

  /** Printed pages keep all. */
  open() {
    this.#root.open = true;
  }
}
