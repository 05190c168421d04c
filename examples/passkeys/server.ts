/** Starts the example on a port of localhost: `node examples/passkeys/server.ts`. */
import { Accounts } from "../chat/accounts.ts";
import { createApp } from "./app.ts";

const PORT = 3001;

const accounts = await Accounts.create({ ada: "lovelace" });
const { http } = await createApp(accounts, () => `http://localhost:${PORT}`);
http.listen(PORT, "localhost", () => {
  console.log(`http://localhost:${PORT}: sign in as ada, lovelace, and register a passkey`);
});
