import { assertEquals, describe, it } from "#testing";
import { connectClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { createServer, engineOnly, start } from "../kit/targets.ts";
import { verify } from "../kit/users.ts";
import { socketioAuth } from "../../mod.ts";
import { describeResumption } from "./resume_suite.ts";

describeResumption("in memory", () => {});

describe("what the adapter is given to keep", () => {
  disposeAfterEach();

  for (const recovery of ["resume", "reauthenticate"] as const) {
    it(`has no credentials in it, and the user only if it is to resume (${recovery})`, async () => {
      const place = engineOnly[0]!;
      const io = createServer({ connectionStateRecovery: {} });
      const kept = new EventQueue();
      io.of("/").adapter.persistSession = (session) => kept.push("kept", session.data);
      socketioAuth(io, { authenticate: verify, userId: ({ name }) => name, recovery });
      io.on("connection", (socket) => socket.data = { color: "red" });
      const { url, close } = await start(place, io);
      onDispose(close);
      const client = await connectClient(place, url);
      await client.signIn({ username: "ada", password: "right" });
      await client.drop();
      const [data] = await kept.next("kept") as [Record<string, unknown>];
      assertEquals(JSON.stringify(data).includes("right"), false);
      assertEquals(data.data, { color: "red" });
      assertEquals(data.subject, { userId: "ada" });
      assertEquals(Object(data.session).user, recovery === "resume" ? { name: "ada" } : undefined);
    });
  }
});
