// Compiles as CommonJS, with resolutions that do not know `exports` too: they find
// the main entry only. As in types.ts, its types have to be there.
import { Server } from "socket.io";
import byDefault, { AuthError, type Session, socketioAuth } from "@socketio-auth/socketio-auth";

const auth = socketioAuth(new Server(), {
  authenticate(_socket, { username }: { username: string }) {
    if (!username) throw new AuthError("No", { code: "no" });
    return { name: username };
  },
});
export const session: Session<{ name: string }> | undefined = auth.session({});
// @ts-expect-error -- there may be no session
session.user;

byDefault(new Server(), { authenticate: () => false });
// @ts-expect-error -- `authenticate` is required
byDefault(new Server(), {});
