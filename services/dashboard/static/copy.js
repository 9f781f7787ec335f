// The text beside a button, into the clipboard; by plain HTTP browsers only copy what is selected.

const button = document.querySelector("[data-copy]");
const text = document.querySelector("[data-copied]");
const words = button.textContent;

button.hidden = false;
button.addEventListener("click", async () => {
  text.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(text.value);
  else document.execCommand("copy");
  button.textContent = "Copied";
  text.addEventListener("input", () => (button.textContent = words), { once: true });
});
