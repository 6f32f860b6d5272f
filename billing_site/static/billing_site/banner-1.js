/* The billing banner for your own app. Version 1; this file never changes.
 *
 *   <script src="…/banner-1.js" integrity="…" crossorigin="anonymous" defer
 *           data-token="…" data-token-url="/billing-token" data-target="#billing"></script>
 *
 * data-token: from POST /api/v1/accounts/{key}/banner-tokens. data-token-url: an address of yours that answers {"token": "…"};
 * asked when there is no token or it is over. data-target: where the banner goes; without it, on top of the page.
 * Colours: set --billing-banner-… (see docs/banner.md). It tells "billing-banner:shown" on the document, with how many lines.
 */
(() => {
  "use strict";
  const script = document.currentScript;
  const api = new URL("/banner/alerts", script.src).href;
  const again = 60_000;
  let token = script.dataset.token || "";
  let host = null;

  const css = `
    :host { all: initial; display: block; color-scheme: light dark; font: 400 15px/22px system-ui, sans-serif; }
    div { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; padding: 10px 16px;
      background: var(--billing-banner-warning, light-dark(#fdf1dc, #3a2a0e)); color: var(--billing-banner-ink, light-dark(#5c3600, #f6d7a4)); }
    div.critical { background: var(--billing-banner-critical, light-dark(#fdebe9, #3c1713)); color: var(--billing-banner-critical-ink, light-dark(#8c1a11, #ffc9c2)); }
    div + div { border-top: 1px solid light-dark(#0001, #fff1); }
    span { flex: 1 1 220px; overflow-wrap: anywhere; }
    a { color: inherit; font-weight: 600; }
    button { font: inherit; font-size: 20px; line-height: 1; border: 0; background: none; color: inherit; cursor: pointer; padding: 6px 10px; margin: -6px -10px -6px 0; }
    a:focus-visible, button:focus-visible { outline: 2px solid currentcolor; outline-offset: 2px; border-radius: 4px; }`;
  const words = { de: ["Ansehen", "Schließen"], fr: ["Voir", "Fermer"], ja: ["確認する", "閉じる"] };
  const [look, close] = words[(navigator.language || "en").slice(0, 2)] || ["Look", "Dismiss"];

  async function renew() {
    if (!script.dataset.tokenUrl) return false;
    const answer = await fetch(script.dataset.tokenUrl, { headers: { accept: "application/json" } });
    token = answer.ok ? (await answer.json()).token : "";
    return Boolean(token);
  }

  async function ask(options, mayRenew = true) {
    if (!token && !(mayRenew && (await renew()))) return null;
    const answer = await fetch(api, { ...options, credentials: "omit", headers: { authorization: `Bearer ${token}` } });
    if (answer.status === 401 && mayRenew && (await renew())) return ask(options, false);
    return answer.ok ? (await answer.json()).data : null;
  }

  function place() {
    host = document.createElement("billing-banner");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    const target = script.dataset.target && document.querySelector(script.dataset.target);
    if (target) target.append(host);
    else document.body.prepend(host);
  }

  function show(lines) {
    if (lines === null) return;
    if (!host) place();
    host.shadowRoot.replaceChildren(...lines.map((line) => {
      const row = document.createElement("div");
      row.className = line.severity;
      row.setAttribute("role", line.severity === "critical" ? "alert" : "status");
      const text = document.createElement("span");
      text.textContent = line.text;
      const link = document.createElement("a");
      link.textContent = look;
      link.href = /^https?:/.test(line.link) ? line.link : "#";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", `${close}: ${line.text}`);
      button.addEventListener("click", () => run({ method: "POST", body: new URLSearchParams({ alert: line.alert }) }));
      row.append(text, link, button);
      return row;
    }));
    document.dispatchEvent(new CustomEvent("billing-banner:shown", { detail: lines.length }));
  }

  async function run(options) {
    try {
      show(await ask(options));
    } catch {
      /* Billing is away: your page goes on without its banner, and asks again. */
    }
  }

  run({});
  setInterval(() => { if (!document.hidden) run({}); }, again);
})();
