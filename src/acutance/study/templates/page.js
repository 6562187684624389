const zoom = document.getElementById("zoom");
if (zoom) zoom.addEventListener("input", () => document.documentElement.style.setProperty("--zoom", zoom.value));
for (const strip of document.querySelectorAll(".strip")) {
  strip.addEventListener("pointermove", (event) => {
    const frame = event.target.closest(".window");
    if (!frame) return;
    const box = frame.getBoundingClientRect();
    strip.style.setProperty("--x", 100 * (event.clientX - box.left) / box.width + "%");
    strip.style.setProperty("--y", 100 * (event.clientY - box.top) / box.height + "%");
  });
}
for (const button of document.querySelectorAll(".legend button")) {
  button.addEventListener("click", () => {
    const only = document.body.dataset.only === button.dataset.arm ? "" : button.dataset.arm;
    document.body.dataset.only = only;
    for (const other of document.querySelectorAll(".legend button"))
      other.setAttribute("aria-pressed", String(only !== "" && other.dataset.arm === only));
  });
}
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
