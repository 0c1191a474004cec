/** The frames of a video over time: a chart, a slider that goes from frame to frame, and a table. */

import { part } from "./part.js";

/** @typedef {import("../api.js").Bands} Bands */
/** @typedef {import("../api.js").Detection} Detection */
/** @typedef {import("../api.js").Frame} Frame */
/** @typedef {import("../messages.js").Messages} Messages */

const SVG = "http://www.w3.org/2000/svg";

export class Timeline {
  #root = part("timeline", HTMLElement);
  #summary = part("timeline-summary", HTMLElement);
  #chart = part("timeline-chart", HTMLElement);
  #seek = part("timeline-seek", HTMLInputElement);
  #end = part("timeline-end", HTMLElement);
  #here = part("timeline-here", HTMLElement);
  #limits = part("timeline-limits", HTMLElement);
  #alone = part("timeline-alone", HTMLTableCellElement);
  #rows = part("timeline-rows", HTMLTableSectionElement);
  #messages;
  #onSeek;
  /** @type {Frame[]} */
  #frames = [];
  #seconds = 0;
  /** @type {SVGElement | null} */
  #cursor = null;

  /**
   * @param {Messages} messages
   * @param {(seconds: number) => void} onSeek
   */
  constructor(messages, onSeek) {
    this.#messages = messages;
    this.#onSeek = onSeek;
    this.#seek.addEventListener("input", () => this.#go(this.#seek.valueAsNumber));
    this.#chart.addEventListener("click", (event) => {
      const { left, width } = this.#chart.getBoundingClientRect();
      this.#go(this.#nearest(((event.clientX - left) / width) * this.#seconds));
    });
  }

  /**
   * @param {Detection} detection
   * @param {Bands | null} bands null for a model that was not measured on footage
   */
  show({ frames, segments, analysed_seconds: seconds }, bands) {
    this.#root.hidden = !frames;
    if (!frames) return;
    this.#frames = frames;
    this.#seconds = Math.max(seconds ?? 0, frames[frames.length - 1].t) || 1;
    const stretches = (segments ?? []).map(({ start, end }) => this.#messages.stretch(start, end));
    this.#summary.textContent = bands ? this.#found(stretches) : this.#messages.text("script.timeline.unmeasured");
    this.#limits.hidden = !bands;
    this.#alone.hidden = !bands;
    this.#end.textContent = this.#messages.time(this.#seconds);
    this.#draw(segments ?? [], bands);
    this.#rows.replaceChildren(...frames.map((frame, i) => this.#row(frame, i, bands)));
    this.#seek.max = String(frames.length - 1);
    this.#mark(0);
  }

  /** @param {number} seconds where the video is */
  follow(seconds) {
    if (!this.#root.hidden) this.#mark(this.#nearest(seconds));
  }

  /** @param {string[]} stretches */
  #found(stretches) {
    if (stretches.length === 0) return this.#messages.text("script.timeline.none");
    return this.#messages.text("script.timeline.stretches", { stretches: this.#messages.all(stretches) });
  }

  /** @param {number} seconds */
  #nearest(seconds) {
    const distances = this.#frames.map(({ t }) => Math.abs(t - seconds));
    return distances.indexOf(Math.min(...distances));
  }

  /** @param {number} index */
  #go(index) {
    this.#mark(index);
    this.#onSeek(this.#frames[index].t);
  }

  /** @param {number} index */
  #mark(index) {
    const frame = this.#frames[index];
    const words = this.#messages.text("script.timeline.here", {
      time: this.#messages.time(frame.t),
      score: this.#messages.score(frame.score),
    });
    this.#seek.value = String(index);
    this.#seek.setAttribute("aria-valuetext", words);
    this.#here.textContent = words;
    const x = this.#x(frame.t);
    this.#cursor?.setAttribute("d", `M${x} 0V100`);
  }

  /** @param {number} seconds */
  #x(seconds) {
    return Math.round((seconds / this.#seconds) * 1000) / 10;
  }

  /**
   * In hundredths of both directions; the style sheet stretches it.
   * @param {import("../api.js").Segment[]} segments
   * @param {Bands | null} bands
   */
  #draw(segments, bands) {
    const points = this.#frames.map(({ t, score }) => `${this.#x(t)} ${Math.round((1 - score) * 1000) / 10}`);
    const drawing = svg("svg", { class: "chart", viewBox: "0 0 100 100", preserveAspectRatio: "none" });
    this.#cursor = svg("path", { class: "chart-cursor" });
    drawing.append(
      ...segments.map(({ start, end }) =>
        svg("path", { class: "chart-segment", d: `M${this.#x(start)} 0H${this.#x(end)}V100H${this.#x(start)}z` }),
      ),
      svg("path", { class: "chart-line", d: `M${points.join("L")}` }),
      ...points.map((point) => svg("path", { class: "chart-dot", d: `M${point}h0` })),
      ...(bands ? [bands.low, bands.high] : []).map((limit) => svg("path", { class: "chart-limit", d: `M0 ${100 - limit * 100}H100` })),
      this.#cursor,
    );
    this.#chart.replaceChildren(drawing);
  }

  /**
   * @param {Frame} frame
   * @param {number} index
   * @param {Bands | null} bands
   */
  #row({ t, score }, index, bands) {
    const row = document.createElement("tr");
    const go = document.createElement("button");
    go.type = "button";
    go.className = "link-button";
    go.textContent = this.#messages.time(t);
    go.addEventListener("click", () => this.#go(index));
    const time = document.createElement("th");
    time.scope = "row";
    time.append(go);
    row.append(time, ...[this.#messages.score(score), ...(bands ? [this.#band(score, bands)] : [])].map(cell));
    return row;
  }

  /**
   * @param {number} score
   * @param {Bands} bands
   */
  #band(score, bands) {
    if (score >= bands.high) return this.#messages.text("script.headline.likely_ai");
    return this.#messages.text(score < bands.low ? "script.headline.no_ai_signs_found" : "script.headline.inconclusive");
  }
}

/** @param {string} text */
function cell(text) {
  return Object.assign(document.createElement("td"), { textContent: text });
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
