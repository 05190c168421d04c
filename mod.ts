/**
 * Authentication for Socket.IO 4, on Node, Deno and Bun: clients connect first and sign in
 * after.
 *
 * A client sends its credentials in the body of an `authentication` event. Until the server has
 * accepted them, no broadcast, room or direct message reaches the client, and no event that the
 * client sends reaches the application.
 *
 * @example
 * ```ts
 * import { Server } from "socket.io";
 * import { socketioAuth } from "@socketio-auth/socketio-auth";
 *
 * const io = new Server(3000);
 * const auth = socketioAuth(io, {
 *   async verify(_socket, credentials) {
 *     const { username, password } = Object(credentials);
 *     return await checkPassword(username, password); // falsy: "Authentication failure"
 *   },
 * });
 * io.on("connection", (socket) => { // only called once the client is signed in
 *   const user = auth.user(socket);
 *   socket.on("chat", (text) => io.emit("chat", user.name, text));
 * });
 * ```
 *
 * @module
 */
export * from "./src/socketio/public.ts";
export { default } from "./src/socketio/public.ts";
