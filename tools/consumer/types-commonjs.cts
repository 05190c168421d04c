// Compiles as CommonJS, with resolutions that do not know `exports` too: they find
// the main entry and those for clients and tokens. As in types.ts, the types have to be there.
import { Server } from "socket.io";
import byDefault, { AuthError, type Session, socketioAuth } from "@socketio-auth/socketio-auth";
import { authenticate } from "@socketio-auth/socketio-auth/client";
import { jwt } from "@socketio-auth/socketio-auth/jwt";
import { type Code, PROTOCOL_VERSION } from "@socketio-auth/socketio-auth/protocol";
import { io as connect } from "socket.io-client";

const auth = socketioAuth(new Server(), {
  verify(_socket, { username }: { username: string }) {
    if (!username) throw new AuthError("No", { code: "no" });
    return { name: username };
  },
});
export const session: Session<{ name: string }> | undefined = auth.session({});
// @ts-expect-error -- there may be no session
session.user;
export const name: string = auth.user({}).name;
// @ts-expect-error -- the user is typed
auth.user({}).age;

byDefault(new Server(), { verify: () => false });
// As the original module has it.
byDefault(new Server(), { authenticate: (_socket, _data, callback) => callback(null, false) });
// @ts-expect-error -- `verify` or `authenticate` is required
byDefault(new Server(), {});

const tokens = socketioAuth(
  new Server(),
  jwt({ jwks: "https://id.example/jwks", issuer: "https://id.example/", audience: "chat" }),
);
export const sub: string = tokens.user({}).sub;
// @ts-expect-error -- the claims are typed
tokens.user({}).sub.toFixed();
// @ts-expect-error -- the audience is required
jwt({ jwks: "https://id.example/jwks", issuer: "https://id.example/" });

export const state: string = authenticate(connect()).state;
// @ts-expect-error -- it needs a socket
authenticate("socket");
export const code: Code = "expired";
// @ts-expect-error -- no such code
export const wrong: Code = "nonsense";
export const version: 2 = PROTOCOL_VERSION;
