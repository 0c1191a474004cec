/** The Help page: sends what a visitor writes. */

import { Api } from "./api.js";
import { Messages } from "./messages.js";
import { Problem } from "./problems.js";
import { ErrorSummary } from "./ui/error-summary.js";
import { MessageForm } from "./ui/message-form.js";
import { part } from "./ui/part.js";

class HelpPage {
  #messages = Messages.fromPage();
  #status = part("status", HTMLElement);
  #sent = part("message-sent", HTMLElement);
  #form = new MessageForm((message) => this.#send(message));
  #errors = new ErrorSummary(() => this.#form.focusWrongField());

  /** @param {import("./api.js").VisitorMessage} message */
  async #send(message) {
    this.#errors.hide();
    this.#sent.hidden = true;
    const fault = this.#form.findFault();
    if (fault) {
      this.#errors.show(this.#messages.text(fault), { advice: "", linksToField: true });
      return;
    }
    this.#form.setSending(true);
    this.#status.textContent = this.#messages.text("script.message.sending");
    try {
      const { reference } = await (await Api.connect()).sendMessage(message);
      this.#form.clear();
      this.#sent.textContent = this.#messages.text("script.message.sent", { reference });
      this.#sent.hidden = false;
      this.#sent.focus();
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem("internal");
      const advice = this.#messages.text("script.message.kept");
      this.#errors.show(this.#messages.text(problem.messageKey, { size: "" }), { advice, linksToField: false });
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.#status.textContent = "";
      this.#form.setSending(false);
    }
  }
}

new HelpPage();
