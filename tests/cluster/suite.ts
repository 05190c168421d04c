import { assertEquals } from "#testing";
import { type Client, connectClient } from "../kit/client.ts";
import type { ServerNode } from "../kit/node.ts";
import { engineOnly } from "../kit/targets.ts";
import type { Call } from "./commands.ts";

const place = engineOnly[0]!;

/** Ways to address a broadcast that reach a member of "room" on every node. */
const ways: Call[][] = [
  [],
  [["to", "room"]],
  [["in", ["room", "elsewhere"]]],
  [["except", "elsewhere"]],
  [["compress", true]],
];

/** A client, and its socket's id on the server. */
interface Guest {
  readonly client: Client;
  readonly node: ServerNode;
  readonly id: string;
}

/** Broadcasts from every node, in every way, reach authenticated clients only. */
export async function expectAirtight(nodes: ServerNode[]): Promise<void> {
  const members = await Promise.all(nodes.map(connect));
  const strangers = await Promise.all(nodes.map(connect));
  for (const { client } of members) await client.signIn();
  for (const guest of [...members, ...strangers]) {
    await guest.node.socket(guest.id, ["join", "room"]);
  }
  for (const [n, node] of nodes.entries()) await whenHeard(node, n, members);

  const ids = members.map(({ id }) => id).sort();
  for (const [n, node] of nodes.entries()) {
    for (const [w, way] of ways.entries()) await node.io(...way, ["emit", `way ${w} from ${n}`]);
    await node.io(["volatile"], ["emit", `volatile from ${n}`]);
    await node.io(["local"], ["emit", "local"]);
    for (const { id } of strangers) await node.io(["to", id], ["emit", "secret"]);
    // Neither waited for nor listed.
    const answers = await node.io(["timeout", 5000], ["emitWithAck", "answer me"]);
    assertEquals(answers, members.map(() => "yes"));
    assertEquals(((await node.io(["fetchSockets"])) as string[]).sort(), ids);
  }

  // Adapters may send over several connections, in no order: all of it has to be through.
  const heard = nodes.flatMap((_, n) => ways.map((_, w) => `way ${w} from ${n}`));
  for (const { client } of members) {
    for (const way of heard) await client.next(way);
  }

  await Promise.all(strangers.map(({ client }) => client.signIn()));
  for (const [n, node] of nodes.entries()) {
    await node.io(["to", "room"], ["emit", `last from ${n}`]);
  }
  for (const { client } of [...members, ...strangers]) {
    for (const n of nodes.keys()) await client.next(`last from ${n}`);
  }
  const last = nodes.map((_, n) => `last from ${n}`);
  for (const { client } of strangers) {
    const [first, ...rest] = client.received;
    // A volatile one may come late, or never, and so may a probe that others have overtaken,
    // over another connection to the backend: nobody can wait for those.
    const others = rest.filter((event) => !/^(volatile|probe)/.test(event)).sort();
    assertEquals([first, others], ["authenticated", last]);
  }
  for (const { client } of members) {
    const broadcasts = client.received.filter((event) => event.startsWith("way"));
    assertEquals(broadcasts.sort(), heard.sort());
  }
}

async function connect(node: ServerNode): Promise<Guest> {
  const client = await connectClient(place, node.url);
  client.socket.on("answer me", (answer: (text: string) => void) => answer("yes"));
  return { client, node, id: client.socket.id! };
}

/**
 * Adapters do not tell when they have subscribed: probe until all of them hear.
 * Resolves when every probe that can still come has come.
 */
async function whenHeard(node: ServerNode, n: number, guests: Guest[]): Promise<void> {
  let sent = 0;
  const probe = () => void node.io(["emit", `probe ${sent++} from ${n}`]);
  const asking = setInterval(probe, 50);
  const firsts = await Promise.all(guests.map(({ client }) => firstProbe(client, n)));
  clearInterval(asking);
  // What one of them has heard, and all that was sent later, comes to each that listened then.
  for (const [i, { client }] of guests.entries()) {
    for (let k = firsts[i]! + 1; k < sent; k++) await client.next(`probe ${k} from ${n}`);
  }
}

/** The number of the first probe of a node that a client hears. */
function firstProbe({ socket }: Client, n: number): Promise<number> {
  return new Promise((resolve) => {
    socket.onAny(function listen(event: string) {
      const [, number] = new RegExp(`^probe (\\d+) from ${n}$`).exec(event) ?? [];
      if (number === undefined) return;
      socket.offAny(listen);
      resolve(Number(number));
    });
  });
}
