/** A program that has keys fetched, and has nothing else to do: it ends, and says nothing of errors. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { jwt } from "../../src/jwt/jwt.ts";

const server = createServer((request, response) => {
  response.writeHead(request.url === "/good" ? 200 : 500).end('{"keys":[]}');
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const { port } = server.address() as AddressInfo;
const answered = Promise.withResolvers<void>();
let left = 2;
server.on("request", (_request, response) => {
  response.once("close", () => {
    if (--left === 0) answered.resolve();
  });
});
for (const path of ["good", "bad"]) {
  jwt({ jwks: `http://127.0.0.1:${port}/${path}`, issuer: false, audience: false });
}
jwt({ jwks: "http://127.0.0.1:1/", issuer: false, audience: false });
await answered.promise;
server.close();
server.closeAllConnections();
console.log("done");
