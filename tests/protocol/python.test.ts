// The client in Python that stands in PROTOCOL.md, as it stands there.
import { assertEquals, assertMatch, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import type { World } from "../kit/world.ts";
import { openApplication, verifyWithCode } from "./application.ts";
import { readPythonClient } from "./document.ts";
import { pythonIsThere, PythonProgram } from "./python.ts";

/** Signs in again by itself when it is signed out, which no client should. */
const STAYING = `
import asyncio, sys, socketio
client = socketio.AsyncClient()

async def sign_in():
    await client.emit("authentication", {"username": "ada", "password": "right"})

@client.event
async def connect():
    print("connect")
    await sign_in()

@client.event
def authenticated(reply):
    print("authenticated as", client.get_sid())

@client.event
async def unauthorized(refusal):
    await sign_in()

async def main():
    await client.connect(sys.argv[1], wait=False)
    await client.wait()

asyncio.run(main())
`;

// Also where Python is missing: a file without a test counts as one on Node, and as none on Deno.
it("PROTOCOL.md has a client in Python", () => assertMatch(readPythonClient(), /AsyncClient/));

if (pythonIsThere()) {
  for (const place of engineOnly) {
    describe(`python-socketio (${place.name})`, () => {
      disposeAfterEach();
      pythonSuite(place);
    });
  }
}

function pythonSuite(place: Place): void {
  const start = ({ url }: World, password: string) =>
    new PythonProgram(readPythonClient(), url, "ada", password);

  it("signs in, and receives what comes then", async () => {
    const world = await openApplication(place);
    const { lines } = start(world, "right");
    await lines.next("welcome");
    assertEquals(lines.names, ["authenticated True None", "welcome"]);
  });

  it("is refused, and ends", async () => {
    const { lines } = start(await openApplication(place), "wrong");
    await lines.next("exit 0");
    assertEquals(lines.names, ["unauthorized authentication_failed", "exit 0"]);
  });

  it("answers a challenge", async () => {
    const program = start(await openApplication(place, { verify: verifyWithCode }), "right");
    await program.lines.next("challenge {'type': 'totp'}");
    program.type("123456");
    await program.lines.next("welcome");
  });

  it("is signed out, and ends", async () => {
    const world = await openApplication(place);
    const { lines } = start(world, "right");
    await lines.next("welcome");
    const [socket] = await world.log.next("connection") as [Socket];
    world.auth.deauthenticate(socket);
    await lines.next("unauthorized signed_out");
    await lines.next("exit 0");
  });

  it("hears of no second CONNECT when it is signed out, and keeps its sid", async () => {
    const world = await openApplication(place);
    const { lines } = new PythonProgram(STAYING, world.url);
    await lines.next("connect");
    const [first] = await world.log.next("connection") as [Socket];
    world.auth.deauthenticate(first);
    const [second] = await world.log.next("connection") as [Socket];
    assertEquals(second.id === first.id, false);
    await lines.next(`authenticated as ${first.id}`);
    await lines.next(`authenticated as ${first.id}`);
    assertEquals(lines.names.filter((line) => line === "connect"), ["connect"]);
  });
}
