/**
 * What the member's page gets in one file, as an application's bundler would make it.
 *
 * Not with the `socket.io.min.js` that a Socket.IO server serves: the names of private methods,
 * which the client module relies on, are shortened in that.
 *
 * @module
 */
export { io } from "socket.io-client";
export { authenticate } from "@socketio-auth/socketio-auth/client";
