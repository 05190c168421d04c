import { createServer } from "node:http";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { jwt, type JwtClaims, type JwtOptions } from "@socketio-auth/socketio-auth/jwt";
import { Server } from "socket.io";
import * as z from "zod";

type Provider = JwtOptions<JwtClaims, JwtClaims>;
type Name = "auth0" | "clerk" | "cognito" | "entra" | "firebase" | "keycloak" | "supabase";

const claims = z.looseObject({ sub: z.string(), exp: z.number() });

/** What to trust of each. Keep one, and put your own words where there are capitals. */
export const providers: Record<Name, Provider> = {
  auth0: {
    jwks: "https://TENANT.auth0.com/.well-known/jwks.json",
    issuer: "https://TENANT.auth0.com/",
    audience: "https://API.example", // the identifier of your API
  },
  clerk: {
    jwks: "https://DOMAIN/.well-known/jwks.json",
    issuer: "https://DOMAIN",
    audience: false, // there is none; the page that may use it is in `azp`
    claims: claims.extend({
      azp: z.literal("https://APP.example"),
      sts: z.literal("active").optional(),
    }),
  },
  cognito: {
    jwks: "https://cognito-idp.REGION.amazonaws.com/POOL/.well-known/jwks.json",
    issuer: "https://cognito-idp.REGION.amazonaws.com/POOL",
    audience: false, // access tokens have none, but a `client_id`
    claims: claims.extend({ token_use: z.literal("access"), client_id: z.literal("CLIENT") }),
    sessionId: ({ origin_jti }) => origin_jti as string,
  },
  entra: {
    jwks: "https://login.microsoftonline.com/TENANT/discovery/v2.0/keys",
    issuer: "https://login.microsoftonline.com/TENANT/v2.0",
    audience: "API", // the client id of your API
    claims: claims.extend({ tid: z.literal("TENANT"), oid: z.string() }),
    userId: ({ oid }) => oid as string,
  },
  firebase: {
    jwks:
      "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    issuer: "https://securetoken.google.com/PROJECT", // all projects have the same keys
    audience: "PROJECT",
  },
  keycloak: {
    jwks: "https://HOST/realms/REALM/protocol/openid-connect/certs",
    issuer: "https://HOST/realms/REALM",
    audience: "API", // by an audience mapper of the client's scope
    claims: claims.extend({ typ: z.literal("Bearer"), azp: z.literal("CLIENT") }),
  },
  supabase: {
    jwks: "https://PROJECT.supabase.co/auth/v1/.well-known/jwks.json",
    issuer: "https://PROJECT.supabase.co/auth/v1",
    audience: "authenticated",
    claims: claims.extend({ role: z.literal("authenticated") }),
  },
};

export function start(port: number, provider: Provider = providers.auth0): Server {
  const http = createServer();
  const io = new Server(http);
  const auth = socketioAuth(io, { ...jwt(provider), handshake: true });
  io.on("connection", (socket) => {
    socket.on("who", (acknowledge) => {
      const { userId, sessionId } = auth.session(socket)!;
      if (typeof acknowledge === "function") acknowledge({ userId, sessionId });
    });
  });
  http.listen(port);
  return io;
}
