// Buttons with data-copy="id" copy the text of that element; with data-copy-body that text is sent
// along with the command, as a shell's here-document.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const body = document.getElementById(button.dataset.copyBody);
  const text = source.value ?? source.textContent;
  await navigator.clipboard.writeText(body ? withBody(text, body.textContent) : text);
  said(button, "copied");
});

function withBody(command, body) {
  return `${command.replace("@request.json", "@-")} <<'END-OF-REQUEST'\n${body}\nEND-OF-REQUEST\n`;
}

export function said(button, word) {
  button.dataset.said = word;
  setTimeout(() => delete button.dataset.said, 1500);
}
