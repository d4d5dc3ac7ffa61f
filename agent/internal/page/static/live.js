// Keeps what is shown up to date: when the agent says that something has changed, the page is fetched as ever, and what is marked as live is replaced.
"use strict";
(() => {
  const here = document.currentScript.src;
  const pause = 400; // ms between two looks
  let waiting = false, again = false;

  const renew = async () => {
    const res = await fetch(location.pathname, { headers: { Accept: "text/html", Renews: "yes" }, credentials: "same-origin" });
    if (!res.ok) return;
    const fresh = new DOMParser().parseFromString(await res.text(), "text/html");
    document.title = fresh.title;
    for (const now of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(now.id);
      if (!next || next.innerHTML === now.innerHTML || typing(now)) continue;
      const focus = now.contains(document.activeElement) ? document.activeElement.id : "";
      const open = [...now.querySelectorAll("details[open]")].map((d) => d.id);
      now.className = next.className;
      patch(now, next);
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      if (focus) document.getElementById(focus)?.focus();
    }
    const hero = document.querySelector(".hero"), other = fresh.querySelector(".hero");
    if (hero && other) hero.className = other.className;
  };

  // The state itself stays the same element, so that its change is read aloud.
  const patch = (now, next) => {
    const spoken = now.querySelector("[aria-live]"), word = next.querySelector("[aria-live]");
    if (!spoken || !word) return void now.replaceChildren(...next.childNodes);
    if (spoken.innerHTML !== word.innerHTML) spoken.innerHTML = word.innerHTML;
    for (const old of [...now.childNodes]) if (old !== spoken) old.remove();
    let before = true;
    for (const n of [...next.childNodes]) {
      if (n === word) before = false;
      else if (before) now.insertBefore(n, spoken);
      else now.appendChild(n);
    }
  };

  // What somebody is filling in is left alone.
  const typing = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea") ||
    [...part.querySelectorAll("input[type=checkbox]")].some((box) => box.checked);

  const look = () => {
    if (waiting) return void (again = true);
    waiting = true;
    renew().catch(() => {}).finally(() => setTimeout(() => {
      waiting = false;
      if (again) { again = false; look(); }
    }, pause));
  };

  const live = document.getElementById("live"); // has the words, in the language of the page
  const events = new EventSource(new URL("../events", here));
  events.onopen = () => { live.textContent = live.dataset.fresh; };
  events.onmessage = look;
  events.onerror = () => { live.textContent = live.dataset.old; };
})();
