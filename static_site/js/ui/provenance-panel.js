/** What the file says about its own origin, kept apart from the verdict. */

import { part } from "./part.js";
import { statement } from "./rows.js";

/** @typedef {import("../api.js").Provenance} Provenance */
/** @typedef {import("../api.js").Signal} Signal */
/** @typedef {import("../messages.js").Messages} Messages */

/** @type {Record<string, string>} */
const SIGNED_HEADLINES = {
  made_with_ai: "script.provenance.made",
  edited_with_ai: "script.provenance.edited",
  captured: "script.provenance.captured",
  unknown: "script.provenance.unclear",
};

/** @type {Record<string, string>} */
const LABEL_HEADLINES = {
  made_with_ai: "script.provenance.label_ai",
  edited_with_ai: "script.provenance.label_ai",
  captured: "script.provenance.label_camera",
  unknown: "script.provenance.label_unclear",
};

/** @type {Record<string, string>} */
const SOURCES = {
  xmp_iptc: "script.provenance.source.xmp_iptc",
  png_text: "script.provenance.source.png_text",
  exif: "script.provenance.source.exif",
};

export class ProvenancePanel {
  #list = part("provenance-list", HTMLUListElement);
  #disagreement = part("provenance-disagrees", HTMLElement);
  #messages;

  /** @param {Messages} messages */
  constructor(messages) {
    this.#messages = messages;
  }

  /** @param {Provenance} provenance */
  show({ signals, disagrees }) {
    const statements = signals.map((signal) => this.#statement(signal)).filter((each) => each !== null);
    if (statements.length === 0) {
      statements.push([this.#messages.text("script.provenance.none"), this.#messages.text("script.provenance.none_text")]);
    }
    this.#list.replaceChildren(...statements.map(statement));
    this.#disagreement.hidden = !disagrees;
  }

  /**
   * @param {Signal} signal
   * @returns {[string, string] | null} headline and body; null for a kind that this page does not know yet
   */
  #statement({ source, claim, validation, detail }) {
    const say = this.#messages;
    if (validation === "invalid") {
      return [say.text("script.provenance.invalid"), say.text("script.provenance.invalid_text")];
    }
    if (validation === "unsigned" && source in SOURCES && claim in LABEL_HEADLINES) {
      const place = say.text(SOURCES[source]);
      const label = say.text(LABEL_HEADLINES[claim], { source: detail ? `${place}: ${detail}` : place });
      return [label, say.text("script.provenance.label_text")];
    }
    if (!(claim in SIGNED_HEADLINES)) return null;
    const issuer = detail ?? say.text("script.provenance.no_name");
    const extent = claim === "edited_with_ai" ? `${say.text("script.provenance.edited_text")} ` : "";
    if (validation === "trusted") {
      return [say.text(SIGNED_HEADLINES[claim]), extent + say.text("script.provenance.trusted_text", { issuer })];
    }
    if (validation === "valid_untrusted") {
      return [say.text(SIGNED_HEADLINES[claim]), extent + say.text("script.provenance.untrusted_text", { issuer })];
    }
    return null;
  }
}
