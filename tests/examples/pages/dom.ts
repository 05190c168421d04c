import { socket, traces } from "./socket.ts";
import { setUp } from "../../../examples/dom/page.ts";

/** All that the page has shown of the state. */
const shown: string[] = [];
const output = document.querySelector("output")!;
new MutationObserver(() => shown.push(output.textContent)).observe(output, { childList: true });

setUp(socket);
Object.assign(globalThis, {
  traces,
  shown: () => shown,
  disconnect: () => void socket.disconnect(),
});
