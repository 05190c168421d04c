/** Starts the demo: `npm run demo`. */
import { listen } from "../kit/listen.ts";
import { createChat } from "./app.ts";

const { http } = await createChat();
await listen(http, "The chat");
