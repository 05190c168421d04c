import { assertEquals, describe, it } from "#testing";
import { Secret, TOTP } from "otpauth";
import type { Outcome } from "../../mod.ts";
import { Accounts } from "../../examples/chat/accounts.ts";
import { passwordThenTotp, SecondFactors } from "../../examples/second-factor/totp.ts";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

const ADA = { username: "ada", password: "lovelace" };
const GRACE = { username: "grace", password: "hopper" };

const accounts = await Accounts.create({ ada: ADA.password, grace: GRACE.password });

/** A verifier that asks ada for a code, and what makes her codes: for each test its own. */
function enroll() {
  const factors = new SecondFactors();
  const totp = new TOTP({ secret: Secret.fromBase32(factors.enroll("ada")) });
  return { verify: passwordThenTotp({ accounts, factors }), totp };
}

type Acknowledge = (answer: unknown) => void;

/** Signs in with a password, and with a code if there is a question. */
async function signIn(client: Client, credentials: object, code?: unknown): Promise<Outcome> {
  const outcome = client.socket.emitWithAck("authentication", credentials);
  if (code !== undefined) {
    const [question, acknowledge] = await client.next("challenge") as [unknown, Acknowledge];
    assertEquals(question, { type: "totp" });
    acknowledge(code);
  }
  return await outcome;
}

const codeOf = (outcome: Outcome) => outcome.ok ? "ok" : outcome.code;

describe("the example of a second factor", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`asks who has one for a code, which is good once (${place.name})`, async () => {
      const { verify, totp } = enroll();
      const world = await openWorld(place, { verify, attempts: 10 });
      const client = await world.connect();
      // Of the next step, which may begin in the middle of this.
      const code = totp.generate({ timestamp: Date.now() + 30_000 });
      const wrong = code === "000000" ? "000001" : "000000";
      for (const answer of [wrong, "", 5, null, { code }]) {
        assertEquals(codeOf(await signIn(client, ADA, answer)), "wrong_code");
      }
      assertEquals(codeOf(await signIn(client, ADA, code)), "ok");
      const other = await world.connect();
      assertEquals(codeOf(await signIn(other, ADA, code)), "wrong_code");
      assertEquals(world.errors, []);
    });

    it(`asks nobody else, and nobody whose password is wrong (${place.name})`, async () => {
      const world = await openWorld(place, { verify: enroll().verify, attempts: 10 });
      const client = await world.connect();
      const wrong: object[] = [{ ...ADA, password: "x" }, { ...ADA, username: "eve" }, {}, [5]];
      for (const credentials of wrong) {
        assertEquals(codeOf(await signIn(client, credentials)), "authentication_failed");
      }
      assertEquals(codeOf(await signIn(client, GRACE)), "ok");
      assertEquals(client.received.includes("challenge"), false);
    });

    it(`is over when the client leaves (${place.name})`, async () => {
      const world = await openWorld(place, {
        verify: enroll().verify,
        disconnect: () => world.log.push("gone"),
      });
      const client = await world.connect();
      client.emit("authentication", ADA);
      await client.next("challenge");
      client.socket.disconnect();
      await world.log.next("gone");
      // Until then, the verifier has heard of it, too.
      await world.connect();
      assertEquals(world.errors.map(({ error }) => String(error)), []);
    });
  }
});
