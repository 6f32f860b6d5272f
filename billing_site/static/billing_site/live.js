// The part of a page that is marked data-live="60" is read again every so many seconds and put in place, unless the page is
// hidden or somebody is in that part. Without this script the page stays as of its time.
(() => {
  const part = document.querySelector("[data-live]");
  if (!part) return;
  setInterval(async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (!answer.ok) return;
      const read = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = read.querySelector("[data-live]");
      if (fresh) part.replaceChildren(...fresh.childNodes);
    } catch {
      // The next time.
    }
  }, Number(part.dataset.live) * 1000);
})();
