import process from "node:process";

/** A call of a method, or the look at a getter. */
export type Call = [member: string, ...args: unknown[]];

/** What a process is told to do. */
export interface Command {
  readonly id: number;
  readonly command: string;
  // deno-lint-ignore no-explicit-any -- whatever the command wants
  readonly args: any[];
}

/** What it says: that it listens, or what a command has come to. */
export type Report = { readonly url: string } | {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
};

/** Obeys the parent process from now on, which is told so. */
export function serveCommands(
  // deno-lint-ignore no-explicit-any -- whatever the command wants
  commands: Record<string, (...args: any[]) => unknown>,
  url: string,
): void {
  const report = (message: Report) => void process.send!(message);
  process.on("message", async ({ id, command, args }: Command) => {
    // Adapters use the same channel.
    if (!Object.hasOwn(commands, command)) return;
    try {
      report({ id, result: await commands[command]!(...args) });
    } catch (error) {
      report({ id, error: String(error) });
    }
  });
  process.on("disconnect", () => process.exit());
  report({ url });
}
