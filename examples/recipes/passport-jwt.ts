import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { env } from "node:process";
import { admit, AuthError, socketioAuth } from "@socketio-auth/socketio-auth";
import passport from "passport";
import { ExtractJwt, Strategy } from "passport-jwt";
import { Server } from "socket.io";

// Another one at each start, unless you set one.
const SECRET = env.JWT_SECRET ?? randomBytes(32).toString("hex");

// Stands in for a database.
const users = new Map([["1", { id: "1", name: "Ada" }]]);
type User = { id: string; name: string };

// The strategy that your routes use.
passport.use(
  new Strategy({
    jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
    secretOrKey: SECRET,
    algorithms: ["HS256"],
    issuer: "https://id.example",
    audience: "chat",
  }, ({ sub, exp }, done) => done(null, exp ? users.get(sub) ?? false : false, { exp })),
);

/** Asks the strategy about a token, without a request. Resolves with nothing for a wrong one. */
function check(token: string): Promise<{ user: User; exp: number } | undefined> {
  const request = { headers: { authorization: `Bearer ${token}` } };
  return new Promise((resolve, reject) => {
    passport.authenticate(
      "jwt",
      { session: false },
      (error: unknown, user: User | false, info: { exp: number } & Partial<Error>) => {
        if (error) reject(error);
        else if (user) resolve({ user, exp: info.exp });
        else if (info?.name !== "TokenExpiredError") resolve(undefined);
        else reject(new AuthError("Token expired", { code: "expired" }));
      },
    )(request, {}, reject);
  });
}

export function start(port: number): Server {
  const http = createServer();
  const io = new Server(http);
  const auth = socketioAuth(io, {
    handshake: true,
    async verify(_socket, credentials) {
      const { token } = Object(credentials);
      const found = typeof token === "string" && await check(token);
      return found && admit(found.user, { expiresAt: found.exp * 1000 });
    },
  });
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    socket.on("chat", (text) => io.emit("chat", name, text));
  });
  http.listen(port);
  return io;
}
