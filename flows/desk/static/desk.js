// Keys and partial updates. Every page works without this file too.
"use strict";
document.documentElement.classList.add("script");

const typing = (target) => target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

// A key presses the button or follows the link that names it: <button data-key="s">.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target) { event.preventDefault(); target.click(); }
});

// A choice sends its form at once: <select data-submit>.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A form replaces only a part of the page: <form data-part="part">, the id of an element on both pages.
document.addEventListener("submit", async (event) => {
  const form = event.target, part = document.getElementById(form.dataset.part ?? "");
  if (!part || part.dataset.busy) { if (part) event.preventDefault(); return; }
  event.preventDefault();
  part.dataset.busy = "yes";
  try {
    const body = new FormData(form, event.submitter);
    const answer = await fetch(form.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(form.dataset.part);
    if (!fresh) { location.assign(answer.url); return; }
    history.replaceState(null, "", answer.url);
    document.title = page.title;
    part.replaceWith(document.adoptNode(fresh));
    fresh.querySelector("[data-focus]")?.focus();
  } catch { form.removeAttribute("data-part"); form.requestSubmit(event.submitter); }
  finally { delete part.dataset.busy; }
});

// A part looks again until it is gone: <div id="progress" data-refresh="1000">.
const refresh = async () => {
  const part = document.querySelector("[data-refresh]");
  if (!part) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part.id);
    if (!fresh) { location.assign(answer.url === location.href ? location.href : answer.url); return; }
    part.replaceWith(document.adoptNode(fresh));
  } catch { /* the desk may be back soon */ }
  setTimeout(refresh, Number(document.querySelector("[data-refresh]")?.dataset.refresh ?? 1000));
};
setTimeout(refresh, 500);
