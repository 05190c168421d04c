// What `require` makes of the installed package, which is ES modules only.
const { deepEqual, equal } = require("node:assert/strict");
const { Server } = require("socket.io");
const { admit, socketioAuth } = require("@socketio-auth/socketio-auth");
const { default: byDefault } = require("@socketio-auth/socketio-auth");
const forNode = require("@socketio-auth/socketio-auth/node");

const { jwt } = require("@socketio-auth/socketio-auth/jwt");

equal(byDefault, socketioAuth);
equal(forNode.socketioAuth, socketioAuth);
equal(forNode.admit, admit);
equal(typeof forNode.serve, "function");

const secret = "0123456789abcdef0123456789abcdef";
const { grace } = jwt({ secret, issuer: false, audience: false, clockTolerance: 5 });
equal(grace, 5000);

const auth = socketioAuth(new Server(), { verify: () => true });
const { pending, authenticated } = auth.stats();
deepEqual([pending, authenticated], [0, 0]);
console.log(`ok require: ${process.argv[2]}`);
