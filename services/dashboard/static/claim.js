// Claiming the box: the browser knows the time zone, and how to print.

const zone = document.getElementById("zone");
if (zone && !zone.value) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (document.querySelector(`#zones option[value="${CSS.escape(here)}"]`)) zone.value = here;
}

document.getElementById("print")?.addEventListener("click", () => window.print());
