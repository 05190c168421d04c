import { assertEquals, describe, it } from "#testing";
import { parseAuthentication } from "../../src/protocol.ts";

describe("the protocol's parsers", () => {
  it("read the arguments of an authentication event, whatever they are", () => {
    const ack = () => {};
    assertEquals(parseAuthentication(["x", ack]), { credentials: "x", acknowledge: ack });
    const { credentials, acknowledge } = parseAuthentication([ack]);
    assertEquals([credentials, acknowledge === ack], [undefined, true]);
    assertEquals(parseAuthentication(["x", "y"]).credentials, "x");
    assertEquals(parseAuthentication([]).credentials, undefined);
  });
});
