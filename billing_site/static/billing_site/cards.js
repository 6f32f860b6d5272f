/* The card element and the bank's questions. The number never passes through us: the provider's script has it. */
"use strict";

function say(place, text) {
  place.textContent = text;
  place.hidden = !text;
}

function explain(form, error, otherwise) {
  const sentences = JSON.parse(form.dataset.sentences || "{}");
  return sentences[error.decline_code] || sentences[error.code] || error.message || otherwise;
}

async function saveCard(form) {
  const problem = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  const csrf = form.elements.csrfmiddlewaretoken.value;
  button.disabled = true;
  say(problem, "");
  try {
    const answer = await fetch(form.dataset.begin, { method: "POST", headers: { "X-CSRFToken": csrf } });
    const begun = await answer.json();
    if (!answer.ok) throw new Error(begun.problem);
    const result = await form.stripe.confirmCardSetup(begun.client_secret, { payment_method: { card: form.card } });
    if (result.error) throw new Error(explain(form, result.error, "The card was not saved; check what you entered."));
    form.elements.set_up.value = begun.id;
    form.submit();
  } catch (error) {
    say(problem, error.message || "The payment provider cannot be reached; try again in a moment.");
    button.disabled = false;
  }
}

async function confirmPayment(form) {
  const problem = form.querySelector("[role=alert]");
  const result = await Stripe(form.dataset.key).confirmCardPayment(form.dataset.secret);
  if (result.error) say(problem, result.error.message || "The payment was not confirmed.");
  form.submit();
}

document.addEventListener("DOMContentLoaded", () => {
  const saving = document.getElementById("new-card");
  if (saving) {
    if (typeof Stripe === "undefined") {
      say(saving.querySelector("[role=alert]"), "The payment provider cannot be reached; load the page again in a moment.");
      return;
    }
    saving.stripe = Stripe(saving.dataset.key);
    const look = getComputedStyle(document.body);
    saving.card = saving.stripe.elements().create("card", { style: { base: { color: look.color, fontSize: "15px" } } });
    saving.card.mount("#card-element");
    saving.addEventListener("submit", (event) => {
      event.preventDefault();
      saveCard(saving);
    });
  }
  const confirming = document.getElementById("confirm-payment");
  if (confirming && typeof Stripe !== "undefined") {
    confirming.addEventListener("submit", (event) => {
      event.preventDefault();
      confirmPayment(confirming);
    });
  }
});
