import { assert, assertEquals } from "#testing";
import type { Socket } from "socket.io";
import { RawClient } from "../kit/raw.ts";
import type { World } from "../kit/world.ts";
import type { Step } from "./document.ts";
import { decode, encode, type Packet, Placeholders } from "./packets.ts";

/** Something that a scenario says happens besides packets. */
type Happening = (replay: Replay) => unknown;

/** What happens by itself, once its time has come: there is nothing to do but to wait for it. */
const byItself = () => {};

const happenings: Record<string, Happening> = {
  "the time to authenticate is over": byItself,
  "one second passes": byItself,
  "the verifier sends a hint to the client": byItself,
  "the session ends": byItself,
  "the session ends, and the grace begins": byItself,
  "the grace is over": byItself,
  "the application sends news to everybody": ({ world }) => void world.io.emit("news", 1),
  "the application revokes the sessions of the user": ({ world }) =>
    world.auth.revoke({ userId: "ada" }),
  "the rights of the user have changed": ({ world }) =>
    world.auth.refresh({ userId: "ada" }, { within: 3_600_000 }),
  "the application signs the client out": async ({ world }) =>
    world.auth.deauthenticate(await nextSocket(world)),
  "the connection is lost": async (replay) => {
    const socket = await nextSocket(replay.world);
    const isGone = new Promise((resolve) => socket.once("disconnect", resolve));
    replay.client.close();
    await isGone;
  },
  "the client opens another transport": (replay) => replay.open(),
};

async function nextSocket({ log }: World): Promise<Socket> {
  const [socket] = await log.next("connection") as [Socket];
  return socket;
}

/** Plays a scenario against a server, and compares every packet with what the document says. */
export class Replay {
  readonly world: World;
  client!: RawClient;
  readonly #own: Record<string, Happening>;
  readonly #placeholders = new Placeholders();
  /** How many packets of this transport were read. */
  #read = 0;
  #ids = 0;
  /** Of the last event of each side that asks for an acknowledgement. */
  readonly #asked: { C?: number | undefined; S?: number | undefined } = {};

  /** `own` are the happenings of this scenario alone. */
  constructor(world: World, own: Record<string, Happening> = {}) {
    this.world = world;
    this.#own = own;
  }

  async open(): Promise<void> {
    this.client = await RawClient.open(this.world.url);
    this.#read = 1;
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.open();
    for (const step of steps) await this.#take(step);
    // Behind the close comes nothing.
    const isSilent = "closed" in steps.at(-1)! || await this.#isSilent();
    assert(isSilent, "More came than the document says");
  }

  async #take(step: Step): Promise<void> {
    if ("happens" in step) {
      const happening = this.#own[step.happens] ?? happenings[step.happens];
      assert(happening, `Nobody knows how to have this happen: "${step.happens}"`);
      await happening(this);
    } else if ("closed" in step) {
      assertEquals(await this.#receive("close"), ["close"]);
    } else if (step.from === "C") this.#send(step.packet);
    else await this.#compare(step.packet);
  }

  #send(packet: Packet): void {
    const data = this.#placeholders.fill(packet.data);
    let id: number | undefined;
    if (packet.hasId) id = packet.type === "43" ? this.#asked.S : this.#asked.C = this.#ids++;
    this.client.send(encode({ ...packet, data }, id));
  }

  async #compare(expected: Packet): Promise<void> {
    const [type, rest] = await this.#receive(expected.type);
    const { packet, id } = decode(type, rest ?? "");
    assertEquals(packet, {
      ...expected,
      data: this.#placeholders.fill(expected.data, packet.data),
    });
    if (type === "43") assertEquals(id, this.#asked.C);
    else if (packet.hasId) this.#asked.S = id;
  }

  /** Waits for a packet of a type; what has come in its place is returned. */
  async #receive(type: string): Promise<[type: string, rest?: string]> {
    await this.client.packets.next(type);
    return this.client.packets.all[this.#read++] as [string, string?];
  }

  /**
   * Whether nothing comes before the answer to something that leads to nothing. Asked
   * twice: the first answer may overtake what the last line of the client leads to.
   */
  async #isSilent(): Promise<boolean> {
    for (let i = 0; i < 2; i++) {
      this.client.send("40/nowhere");
      const [type, rest] = await this.#receive("44");
      if (type !== "44" || !rest!.startsWith("/nowhere,")) return false;
    }
    return true;
  }
}
