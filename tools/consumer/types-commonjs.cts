// Compiles as CommonJS, with resolutions that do not know `exports` too: they find
// the main entry only. As in types.ts, its types have to be there.
import { Server } from "socket.io";
import byDefault, { AuthError, type Session, socketioAuth } from "@socketio-auth/socketio-auth";

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
