// Runs before the first paint, so that neither the theme nor the no-script layout flashes.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  try {
    var theme = localStorage.getItem("reelm.theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  } catch (refused) {
    // Storage may be switched off; the system's theme then rules.
  }
})();
