// Filter the gallery by text and by step. Without scripts everything is shown.
(() => {
  const text = document.getElementById("filter-text");
  const step = document.getElementById("filter-step");
  const count = document.getElementById("filter-count");
  const cards = [...document.querySelectorAll(".card")];
  if (!text) return;
  document.getElementById("filters").hidden = false;
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      const fits = (!step.value || card.dataset.step === step.value) && (!wanted || card.textContent.toLowerCase().includes(wanted));
      card.hidden = !fits;
      card.style.display = fits ? "" : "none";
      shown += fits ? 1 : 0;
    }
    count.textContent = shown === cards.length ? "" : `${shown} of ${cards.length}`;
  };
  text.addEventListener("input", apply);
  step.addEventListener("change", apply);
})();
