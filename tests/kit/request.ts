import { once } from "node:events";
import { connect } from "node:net";

/** Headers in their order; a name may be there several times. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** What a server answers. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One HTTP request, byte for byte: clients of the runtimes send no header that is a browser's own. */
export async function request(
  url: string,
  path: string,
  { headers = [], body: content }: { headers?: HeaderList; body?: string } = {},
): Promise<Answer> {
  const { hostname, port, host } = new URL(url);
  const names = headers.map(([name]) => name.toLowerCase());
  const lines = [
    `${content === undefined ? "GET" : "POST"} ${path} HTTP/1.1`,
    ...names.includes("host") ? [] : [`Host: ${host}`],
    ...names.includes("connection") ? [] : ["Connection: close"],
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...content === undefined ? [] : [`Content-Length: ${content.length}`],
  ];
  const socket = connect(Number(port), hostname);
  socket.setEncoding("latin1");
  socket.write(`${lines.join("\r\n")}\r\n\r\n${content ?? ""}`, "latin1");
  let text = "";
  socket.on("data", (data) => text += data);
  await once(socket, "end");
  socket.destroy();
  const end = text.indexOf("\r\n\r\n");
  const body = text.slice(end + 4);
  // What is as short as here comes in one chunk, if in chunks at all.
  const [, chunk] = /^[\da-f]+\r\n(.*)\r\n0\r\n\r\n$/s.exec(body) ?? [];
  return { status: Number(text.split(" ")[1]), body: chunk ?? body };
}
