import { assertEquals } from "#testing";
import { randomPrefix } from "../kit/backends.ts";
import { type Client, connectClient } from "../kit/client.ts";
import { ServerNode } from "../kit/node.ts";
import { engineOnly } from "../kit/targets.ts";

export const ADA = { userId: "ada" };

/** A client of a node that signs in. */
export async function enter(
  node: ServerNode,
  username = "ada",
  session?: string,
): Promise<Client> {
  const client = await connectClient(engineOnly[0]!, node.url);
  await client.signIn({ username, password: "right", ...session && { session } });
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

/** Three nodes. */
export class Cluster {
  readonly nodes: ServerNode[];
  readonly #args: string[];

  private constructor(args: string[], nodes: ServerNode[]) {
    this.#args = args;
    this.nodes = nodes;
  }

  /** Starts them; their clocks are wrong by so many milliseconds. */
  static async start(
    adapter: string,
    backend: string,
    mode = "",
    skews: readonly number[] = [0, 0, 0],
  ): Promise<Cluster> {
    const args = [adapter, backend, randomPrefix(), mode];
    const nodes = skews.map((skew) => ServerNode.start(...args, `${skew}`));
    return new Cluster(args, await Promise.all(nodes));
  }

  /** One more, in the place of one that is gone. */
  join(): Promise<ServerNode> {
    return ServerNode.start(...this.#args);
  }

  /** A client of each node, signed in as ada; nodes know of each other by then. */
  async enter(): Promise<Client[]> {
    const clients = await Promise.all(this.nodes.map((node) => enter(node)));
    for (const node of this.nodes) await whenHeard(node, clients);
    return clients;
  }
}

/** Signs in slowly: the verifier does not answer before the test says so. */
export async function beginSlowly(node: ServerNode): Promise<Client> {
  const client = await connectClient(engineOnly[0]!, node.url);
  client.emit("authentication", { username: "ada", password: "right", isSlow: true });
  return client;
}

export async function answerOnce(node: ServerNode): Promise<void> {
  while (await node.answer() === 0);
}
