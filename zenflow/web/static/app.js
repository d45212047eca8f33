// Follow the journal, choose with the keyboard. Every page works without this file.
if (document.body.hasAttribute("data-live") && document.getElementById("live")) {
  const source = new EventSource("/events");
  let busy = false, again = false;
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
        const live = document.getElementById("live");
        const editing = live.contains(document.activeElement) && /^(TEXTAREA|INPUT|SELECT)$/.test(document.activeElement.tagName);
        if (fresh && !editing && fresh.innerHTML !== live.innerHTML) {
          const focus = document.activeElement?.closest?.("[id]")?.id;
          const open = [...live.querySelectorAll("article[id]")].filter((one) => one.querySelector("details")?.open).map((one) => one.id);
          live.replaceChildren(...fresh.childNodes);
          for (const id of open) document.getElementById(id)?.querySelector("details")?.setAttribute("open", "");
          if (focus) document.getElementById(focus)?.focus?.({ preventScroll: true });
          document.getElementById("status").textContent = "Updated.";
        }
      }
    } finally {
      busy = false;
      if (again) { again = false; setTimeout(refresh, 300); }
    }
  };
  source.addEventListener("changed", refresh);
  source.addEventListener("open", refresh);
}
const pick = document.getElementById("pick");
if (pick) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
    const group = document.activeElement.closest?.("fieldset") ?? pick.querySelector("fieldset");
    const input = group?.querySelector(`[data-key="${event.key}"]`);
    if (input) { input.checked = input.type === "radio" ? true : !input.checked; input.focus(); event.preventDefault(); }
  });
  pick.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); pick.requestSubmit(); } });
}
