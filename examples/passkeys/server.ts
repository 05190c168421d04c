/** Starts the example: `npm run example:passkeys`. */
import { Accounts } from "../chat/accounts.ts";
import { listen } from "../kit/listen.ts";
import { createApp } from "./app.ts";

let origin = "";
const { http } = await createApp(await Accounts.create({ ada: "lovelace" }), () => origin);
origin = await listen(http, "The example of passkeys");
