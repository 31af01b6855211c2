// Buttons with data-copy="id" copy the text of that element.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent);
  said(button);
});

export function said(button) {
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
}
