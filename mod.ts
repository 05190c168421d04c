/**
 * Two-step authentication for Socket.IO 4, on Node, Deno and Bun.
 *
 * A client connects, sends its credentials in the body of an `authentication`
 * event, and until the server has accepted them nothing flows: no broadcast,
 * room or direct message goes out to it, no event it sends reaches the
 * application.
 *
 * @example
 * ```ts
 * import { Server } from "socket.io";
 * import { AuthError, socketioAuth } from "@socketio-auth/socketio-auth";
 *
 * const io = new Server(3000);
 * const auth = socketioAuth(io, {
 *   async authenticate(socket, { username, password }) {
 *     const user = await db.findUser(username);
 *     if (!user) throw new AuthError("User not found");
 *     return (await verify(user.hash, password)) && user;
 *   },
 * });
 * io.on("connection", (socket) => {
 *   socket.on("chat", (text) => io.emit("chat", auth.session(socket)!.user.name, text));
 * });
 * ```
 *
 * @module
 */
export * from "./src/socketio/public.ts";
export { socketioAuth as default } from "./src/socketio/public.ts";
