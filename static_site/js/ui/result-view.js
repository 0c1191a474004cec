/** A result with all its parts. */

import { part } from "./part.js";
import { Details } from "./details.js";
import { FeedbackForm } from "./feedback-form.js";
import { Picture } from "./picture.js";
import { ProvenancePanel } from "./provenance-panel.js";
import { ResultActions } from "./result-actions.js";
import { Timeline } from "./timeline.js";
import { VerdictCard } from "./verdict-card.js";

/** @typedef {import("../api.js").Api} Api */
/** @typedef {import("../api.js").Detection} Detection */
/** @typedef {import("../api.js").Limits} Limits */
/** @typedef {import("../api.js").ModelCard} ModelCard */
/** @typedef {import("../messages.js").Messages} Messages */

export class ResultView {
  #root = part("result", HTMLElement);
  #name = part("result-name", HTMLElement);
  /** The id of the result that is open, or nothing. */
  shownId = "";
  #verdict;
  #provenance;
  #picture;
  #timeline;
  #details;
  #feedback;
  #actions;

  /**
   * @param {Messages} messages
   * @param {ConstructorParameters<typeof ResultActions>[1]} handlers
   */
  constructor(messages, handlers) {
    this.#verdict = new VerdictCard(messages);
    this.#provenance = new ProvenancePanel(messages);
    this.#picture = new Picture(messages, (seconds) => this.#timeline.follow(seconds));
    this.#timeline = new Timeline(messages, (seconds) => this.#picture.seek(seconds));
    this.#details = new Details(messages);
    this.#feedback = new FeedbackForm(messages);
    this.#actions = new ResultActions(messages, handlers);
    window.addEventListener("beforeprint", () => this.#details.open());
  }

  /**
   * @param {Detection} detection
   * @param {{api: Api, file: File | null, card: ModelCard | null, limits: Limits | null, isOneOfSeveral: boolean}} context
   * @returns {string} the headline
   */
  show(detection, { api, file, card, limits, isOneOfSeveral }) {
    this.shownId = detection.id;
    const headline = this.#verdict.show(detection);
    this.#name.textContent = isOneOfSeveral && file ? file.name : "";
    this.#provenance.show(detection.provenance);
    this.#picture.show(detection, { file, heatmap: detection.heatmap_url && api.address(detection.heatmap_url) });
    this.#timeline.show(detection, card?.video_bands ?? null);
    this.#details.show(detection, card);
    this.#actions.show(detection, { isOneOfSeveral });
    const canBeSentAgain = file !== null && limits !== null && file.size <= limits.max_upload_bytes;
    this.#feedback.show(api, detection.id, canBeSentAgain ? file : null);
    this.#root.hidden = false;
    this.#verdict.focus();
    return headline;
  }

  hide() {
    this.shownId = "";
    this.#root.hidden = true;
    this.#picture.clear();
  }

  /** @param {boolean} isDeleting */
  setDeleting(isDeleting) {
    this.#actions.setDeleting(isDeleting);
  }
}
