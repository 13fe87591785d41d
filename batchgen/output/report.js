"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const cards = [...document.querySelectorAll(".card")];
  const chips = [...document.querySelectorAll(".chip")];
  const search = find("search"), model = find("model"), shown = find("shown"), nothing = find("nothing");
  let status = "";

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = model ? model.value : "";
    let count = 0;
    for (const card of cards) {
      const data = card.dataset;
      const fits = (!status || data.status === status) && (!wanted || data.model === wanted)
        && words.every((word) => data.find.includes(word));
      card.hidden = !fits;
      count += fits;
    }
    nothing.hidden = count > 0;
    shown.textContent = count === cards.length ? `${count} cards` : `${count} of ${cards.length} cards`;
  };

  const choose = (value) => {
    status = value;
    for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.dataset.status === value));
    filter();
  };

  let due = 0;
  search.addEventListener("input", () => { clearTimeout(due); due = setTimeout(filter, cards.length > 1000 ? 150 : 0); });
  if (model) model.addEventListener("change", filter);
  for (const chip of chips) chip.addEventListener("click", () => choose(chip.dataset.status));
  find("tools").addEventListener("submit", (event) => event.preventDefault());
  find("reset").addEventListener("click", () => {
    search.value = "";
    if (model) model.value = "";
    choose("");
    search.focus();
  });
  const reach = () => { // a step of a chain is shown whatever was searched for
    const card = /^#job-\d+$/.test(location.hash) && find(location.hash.slice(1));
    if (!card || !card.hidden) return;
    search.value = "";
    if (model) model.value = "";
    choose("");
    card.scrollIntoView();
  };
  addEventListener("hashchange", reach);
  find("cards").addEventListener("click", (event) => {
    const link = event.target.closest("a.step");
    if (link && link.getAttribute("href") === location.hash) reach();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT)$/.test(document.activeElement.tagName) && !viewer.open) {
      event.preventDefault();
      search.focus();
    }
  });

  const viewer = find("viewer"), full = find("full"), caption = find("caption"), original = find("original");
  let current = null;
  const show = (link) => {
    current = link;
    full.src = link.getAttribute("href");
    full.className = link.closest(".clear") ? "clear" : "";
    full.alt = caption.textContent = link.querySelector("img").alt;
    original.setAttribute("href", link.getAttribute("href"));
  };
  const step = (by) => {
    const links = cards.filter((card) => !card.hidden).map((card) => card.querySelector("a.zoom")).filter(Boolean);
    show(links[(links.indexOf(current) + by + links.length) % links.length]);
  };
  find("cards").addEventListener("click", (event) => {
    const link = event.target.closest("a.zoom");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !viewer.showModal) return;
    event.preventDefault();
    show(link);
    viewer.showModal();
  });
  find("previous").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  find("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("click", (event) => { if (event.target === viewer || event.target === full) viewer.close(); });
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  viewer.addEventListener("close", () => { full.removeAttribute("src"); if (current) current.focus(); });

  find("tools").hidden = false;
  filter();
})();
