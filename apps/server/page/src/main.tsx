import { render } from "preact";
import { App } from "./app.tsx";
import { registerServiceWorker } from "./offline/register-service-worker.ts";
import "./style/base.css";
import "./style/layout.css";
import "./style/sidebar.css";
import "./style/messages.css";
import "./style/markdown.css";
import "./style/composer.css";

registerServiceWorker();
render(<App />, document.querySelector("#app")!);
