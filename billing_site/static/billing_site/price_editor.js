// The price editor works without this. With it, examples follow what is typed, a tier is added without a page load, and
// another model shows its own fields at once.
"use strict";

(() => {
  const form = document.querySelector("form.price-editor");
  if (!form) return;
  const DELAY = 250;
  let timer = 0;
  let asked = 0;

  async function showExamples() {
    const mine = ++asked;
    const sent = new FormData(form);
    sent.set("step", "example");
    const answer = await fetch(form.dataset.exampleUrl, { method: "POST", body: sent, credentials: "same-origin" });
    if (!answer.ok || mine !== asked) return;
    const { examples } = await answer.json();
    for (const card of form.querySelectorAll(".price-card")) {
      card.querySelector("[data-example]").textContent = examples[card.dataset.number] || "";
    }
  }

  function addTier(button) {
    const rows = button.closest(".price-card").querySelector(".tier-table tbody");
    const row = rows.lastElementChild.cloneNode(true);
    const place = rows.children.length + 1;
    for (const input of row.querySelectorAll("input")) {
      input.name = input.name.replace(/\.tier\.\d+\./, `.tier.${place}.`);
      input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+$/, place));
      input.value = "";
    }
    for (const wrong of row.querySelectorAll(".wrong")) wrong.remove();
    rows.append(row);
    row.querySelector("input").focus();
  }

  form.addEventListener("input", (event) => {
    if (event.target.closest(".condition") && event.target.value) event.target.size = event.target.value.length;
    clearTimeout(timer);
    timer = setTimeout(showExamples, DELAY);
  });
  form.addEventListener("change", (event) => {
    if (!event.target.matches("[data-model]")) return;
    form.action = `${form.dataset.exampleUrl}#${event.target.closest(".price-card").id}`;
    form.requestSubmit(form.querySelector("button[value=check]:not([data-add-tier])"));
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add-tier]");
    if (!button) return;
    event.preventDefault();
    addTier(button);
  });
  // Enter in a field saves; it does not press the first button that happens to stand in a card.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input")) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("button[value=save]"));
  });
})();
