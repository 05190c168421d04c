// What `require` makes of the installed package, which is ES modules only.
const { deepEqual, equal } = require("node:assert/strict");
const { Server } = require("socket.io");
const { admit, socketioAuth } = require("@socketio-auth/socketio-auth");
const { default: byDefault } = require("@socketio-auth/socketio-auth");
const forNode = require("@socketio-auth/socketio-auth/node");

equal(byDefault, socketioAuth);
equal(forNode.socketioAuth, socketioAuth);
equal(forNode.admit, admit);
equal(typeof forNode.serve, "function");

const auth = socketioAuth(new Server(), { verify: () => true });
const { pending, authenticated } = auth.stats();
deepEqual([pending, authenticated], [0, 0]);
console.log(`ok require: ${process.argv[2]}`);
