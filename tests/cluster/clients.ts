import { assertEquals } from "#testing";
import { type Client, connectClient } from "../kit/client.ts";
import type { ServerNode } from "../kit/node.ts";
import { engineOnly } from "../kit/targets.ts";

export const ADA = { userId: "ada" };

/** A client of a node that signs in. */
export async function enter(node: ServerNode, username = "ada"): Promise<Client> {
  const client = await connectClient(engineOnly[0]!, node.url);
  await client.signIn({ username, password: "right" });
  return client;
}

/** Waits until all of them hear what a node sends. */
export async function whenHeard(node: ServerNode, clients: Client[]): Promise<void> {
  const asking = setInterval(() => void node.io(["emit", "probe"]), 50);
  await Promise.all(clients.map(({ socket }) => {
    return new Promise<void>((resolve) => socket.once("probe", () => resolve()));
  }));
  clearInterval(asking);
}

export async function expectRevoked(client: Client): Promise<void> {
  const [refusal] = await client.next("unauthorized") as [{ code: string }];
  assertEquals(refusal.code, "revoked");
  await client.next("disconnect");
}

/** Comes back to a node, which need not be the one it was lost on. */
export async function comeBack(client: Client, node: ServerNode): Promise<void> {
  (client.socket.io as unknown as { uri: string }).uri = node.url;
  await client.reconnect();
}
