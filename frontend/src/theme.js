// Light, dark, or as the system says. Only this word is kept in the browser.
const KEY = "workbench-theme";
const ORDER = ["", "dark", "light"];

function show(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const button = document.getElementById("theme");
  if (button) button.textContent = theme ? `Theme: ${theme}` : "Theme: system";
}

function kept() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

show(kept());
document.getElementById("theme")?.addEventListener("click", () => {
  const next = ORDER[(ORDER.indexOf(kept()) + 1) % ORDER.length];
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // without storage the choice lasts until the next page
  }
  show(next);
});
