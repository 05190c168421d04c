import { assertEquals, describe, it } from "#testing";
import { providers, start } from "../../examples/recipes/jwt-provider.ts";
import { inSeconds, type Keys, makeKeys, publish, sign } from "../jwt/issuer.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, connect, open, refusalOf } from "./kit.ts";

type Claims = Record<string, unknown>;

interface Shape {
  readonly alg: string;
  /** What a token says, as the provider documents it. */
  readonly right: Claims;
  /** What makes it another token, that is not for this server. */
  readonly wrong: Record<string, Claims>;
  /** Who is signed in with it. */
  readonly who: { userId: string; sessionId?: string };
}

const shapes: Record<keyof typeof providers, Shape> = {
  auth0: {
    alg: "RS256",
    right: {
      iss: "https://TENANT.auth0.com/",
      sub: "auth0|5f7c8ec7c33c6c004bbafe82",
      aud: ["https://API.example", "https://TENANT.auth0.com/userinfo"],
      azp: "my_client_id",
      scope: "openid profile",
    },
    wrong: {
      "an ID token": { aud: "my_client_id", nonce: "n", scope: undefined },
      "another API's": { aud: ["https://OTHER.example"] },
      "another tenant's": { iss: "https://OTHER.auth0.com/" },
    },
    who: { userId: "auth0|5f7c8ec7c33c6c004bbafe82" },
  },
  clerk: {
    alg: "RS256",
    right: {
      azp: "https://APP.example",
      exp: inSeconds(60),
      fva: [0, -1],
      iss: "https://DOMAIN",
      sid: "sess_2xyz",
      sts: "active",
      sub: "user_2abc",
      v: 2,
      aud: undefined,
    },
    wrong: {
      "another page's": { azp: "https://OTHER.example" },
      "without a page": { azp: undefined },
      "of a user with something left to do": { sts: "pending" },
      "another instance's": { iss: "https://OTHER" },
    },
    who: { userId: "user_2abc", sessionId: "sess_2xyz" },
  },
  cognito: {
    alg: "RS256",
    right: {
      sub: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
      iss: "https://cognito-idp.REGION.amazonaws.com/POOL",
      client_id: "CLIENT",
      origin_jti: "origin",
      event_id: "event",
      token_use: "access",
      scope: "openid",
      jti: "token",
      username: "ada",
      aud: undefined,
    },
    wrong: {
      "an ID token": { token_use: "id", aud: "CLIENT", client_id: undefined },
      "another client's": { client_id: "OTHER" },
      "another pool's": { iss: "https://cognito-idp.REGION.amazonaws.com/OTHER" },
    },
    who: { userId: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", sessionId: "origin" },
  },
  entra: {
    alg: "RS256",
    right: {
      aud: "API",
      iss: "https://login.microsoftonline.com/TENANT/v2.0",
      azp: "CLIENT",
      oid: "00000000-0000-0000-66f3-3332eca7ea81",
      scp: "access_as_user",
      sub: "pairwise",
      tid: "TENANT",
      ver: "2.0",
    },
    wrong: {
      "for Microsoft Graph": { aud: "00000003-0000-0000-c000-000000000000" },
      "another tenant's": { iss: "https://login.microsoftonline.com/OTHER/v2.0", tid: "OTHER" },
      "of version 1": { iss: "https://sts.windows.net/TENANT/", ver: "1.0" },
    },
    who: { userId: "00000000-0000-0000-66f3-3332eca7ea81" },
  },
  firebase: {
    alg: "RS256",
    right: {
      iss: "https://securetoken.google.com/PROJECT",
      aud: "PROJECT",
      auth_time: inSeconds(-60),
      user_id: "uid",
      sub: "uid",
      firebase: { identities: {}, sign_in_provider: "password" },
    },
    wrong: {
      "another project's": { iss: "https://securetoken.google.com/OTHER", aud: "OTHER" },
      "another audience's": { aud: "OTHER" },
      "a session cookie": { iss: "https://session.firebase.google.com/PROJECT" },
    },
    who: { userId: "uid" },
  },
  keycloak: {
    alg: "RS256",
    right: {
      iss: "https://HOST/realms/REALM",
      aud: ["API", "account"],
      sub: "f3f4",
      typ: "Bearer",
      azp: "CLIENT",
      sid: "session",
      acr: "1",
      realm_access: { roles: ["user"] },
      scope: "openid",
    },
    wrong: {
      "an ID token": { typ: "ID" },
      "without the mapper": { aud: "account" },
      "another client's": { azp: "OTHER" },
      "another realm's": { iss: "https://HOST/realms/OTHER" },
    },
    who: { userId: "f3f4", sessionId: "session" },
  },
  supabase: {
    alg: "ES256",
    right: {
      iss: "https://PROJECT.supabase.co/auth/v1",
      sub: "a1b2",
      aud: "authenticated",
      role: "authenticated",
      aal: "aal1",
      session_id: "session",
      is_anonymous: false,
    },
    wrong: {
      "the public anon key": { iss: "supabase", role: "anon", sub: undefined, aud: undefined },
      "the service key": { role: "service_role", sub: undefined },
      "another project's": { iss: "https://OTHER.supabase.co/auth/v1" },
    },
    who: { userId: "a1b2", sessionId: "session" },
  },
};

/** Those of the provider, and others of the same name. Keys of RSA take their time. */
const pairs = new Map<string, Promise<Keys[]>>();
function keysFor(alg: string): Promise<Keys[]> {
  const pair = pairs.get(alg) ?? Promise.all([makeKeys("k1", alg), makeKeys("k1", alg)]);
  pairs.set(alg, pair);
  return pair;
}

for (const [name, { alg, right, wrong, who }] of Object.entries(shapes)) {
  describe(`the recipe of a provider: ${name}`, () => {
    disposeAfterEach();

    it("takes its tokens for this server, and no others", async () => {
      const [keys, others] = await keysFor(alg) as [Keys, Keys];
      const { url: jwks } = await publish(keys);
      const provider = { ...providers[name as keyof typeof providers], jwks };
      const url = await open(start(0, provider));
      const signIn = async (claims: Claims, by = keys) =>
        await connect(url, { auth: { token: await sign(by, { ...right, ...claims }) } });

      assertEquals(await ask(await signIn({}), "who"), who);
      for (const [what, claims] of Object.entries(wrong)) {
        const told = refusalOf(await signIn(claims));
        assertEquals([what, told], [what, "authentication_failed"]);
      }
      assertEquals(refusalOf(await signIn({ exp: inSeconds(-1) })), "expired");
      const forged = await signIn({}, others);
      assertEquals(refusalOf(forged), "authentication_failed");
    });
  });
}
