import { render } from "preact";
import { App } from "./app";
import { Localised } from "./i18n";
import { applyTheme, currentTheme } from "./theme";

applyTheme(currentTheme());
render(
  <Localised>
    <App />
  </Localised>,
  document.getElementById("app")!,
);
