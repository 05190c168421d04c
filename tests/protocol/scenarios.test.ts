// Plays the scenarios of docs/protocol/scenarios.md, packet by packet, against a real server. The document is
// read, not repeated: a line of it that is not true fails here.
import { describe, it } from "#testing";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openApplication } from "./application.ts";
import { readScenarios } from "./document.ts";
import { Replay } from "./replay.ts";
import { settings } from "./settings.ts";

const scenarios = readScenarios();

for (const place of engineOnly) {
  describe(`the scenarios of PROTOCOL.md (${place.name})`, () => {
    disposeAfterEach();

    for (const [heading, open] of Object.entries(settings)) {
      it(heading, async () => {
        const { options, server, happenings } = open();
        const world = await openApplication(place, options, server);
        await new Replay(world, happenings).play(scenarios.get(heading) ?? []);
      });
    }
  });
}
