// Keys and partial updates. Every page works without this file too.
"use strict";
document.documentElement.classList.add("script");

const typing = (target) => target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

// A key presses the button or follows the link that names it, alone or among others: <button data-key="s">,
// <a data-key="f ArrowRight">. Arrows do what they do everywhere among radio buttons and in a box that scrolls.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === " " || (key.startsWith("Arrow") && event.target.matches("input, .wide"))) return;
  const target = document.querySelector(`[data-key~="${CSS.escape(key)}"]`);
  if (target) { event.preventDefault(); target.click(); }
});

// A choice sends its form at once: <select data-submit>.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A box that scrolls is a stop of the Tab key, so that arrow keys can move it.
const markBoxes = () => document.querySelectorAll(".wide").forEach((box) => {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
});
addEventListener("resize", markBoxes);
markBoxes();

// Read the page of an answer.
const pageOf = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

// Put the page of an answer in the place of this one. To ask for it again would lose its notes, which are shown once.
const show = (page, answer) => {
  if (answer.redirected) history.replaceState(null, "", answer.url);  // a form's own address shows nothing
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
  scrollTo(0, 0);
  document.getElementById("main")?.focus();
  markBoxes();
  lookAgain();
};

// A form replaces only a part of the page: <form data-part="part">, the id of an element on both pages.
document.addEventListener("submit", async (event) => {
  const form = event.target, part = document.getElementById(form.dataset.part ?? "");
  if (!part) return;
  event.preventDefault();
  if (part.dataset.busy) return;
  part.dataset.busy = "yes";
  try {
    const body = new FormData(form, event.submitter);
    const answer = await fetch(form.getAttribute("action") ?? "", { method: "POST", body });
    const page = await pageOf(answer), fresh = page.getElementById(part.id);
    if (!fresh) { show(page, answer); return; }
    if (answer.redirected) history.replaceState(null, "", answer.url);
    document.title = page.title;
    part.replaceWith(document.adoptNode(fresh));
    markBoxes();
    fresh.querySelector("[data-focus]")?.focus();
  } catch { location.reload(); }  // it may have arrived: so nothing is sent twice
});

// A part looks again until it is gone: <div id="progress" data-refresh="1000">. After two looks without an answer, the
// page says so: <p data-silent hidden>.
let timer, failed = 0;
const lookAgain = () => {
  const part = document.querySelector("[data-refresh]");
  clearTimeout(timer);
  if (part) timer = setTimeout(refresh, Number(part.dataset.refresh), part);
};
const refresh = async (part) => {
  try {
    const answer = await fetch(location.href), page = await pageOf(answer), fresh = page.getElementById(part.id);
    if (!fresh) { show(page, answer); return; }
    part.replaceWith(document.adoptNode(fresh));
    failed = 0;
  } catch { failed += 1; /* the desk may be back soon */ }
  document.querySelectorAll("[data-silent]").forEach((words) => { words.hidden = failed < 2; });
  lookAgain();
};
lookAgain();
