// An issuer of tokens: keys, what it signs with them, and where it has them published.
import { Buffer } from "node:buffer";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from "jose";
import { onDispose } from "../kit/disposal.ts";

/** A key pair; the public key is also there as a JWK. */
export interface Keys {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

/** Makes a key pair. */
export async function makeKeys(kid: string, alg = "ES256"): Promise<Keys> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicKey, jwk: { ...await exportJWK(publicKey), alg, kid } };
}

export const ISSUER = "https://id.example/";
export const AUDIENCE = "chat";

/** Seconds since 1970, from now. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** What a good token says. */
export const goodClaims = (): Record<string, unknown> => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "ada",
  exp: inSeconds(7200),
});

/** Signs a token: a good one, unless told otherwise. A claim that is undefined is left out. */
export function sign(
  { privateKey, jwk }: Keys,
  claims: Record<string, unknown> = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const { kid, alg = "" } = jwk;
  const all = JSON.parse(JSON.stringify({ ...goodClaims(), ...claims }));
  return new SignJWT(all).setProtectedHeader({ alg, ...kid !== undefined && { kid }, ...header })
    .sign(privateKey);
}

/** A part of a token that is put together by hand. */
export const encode = (part: unknown): string =>
  Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");

/** Something that answers requests for keys, in a way that the test may change. */
export interface Endpoint {
  readonly url: string;
  /** How many requests have come. */
  requests: number;
  /** Answers one. */
  answer: (response: ServerResponse) => unknown;
}

/** Starts an endpoint that answers with a set of these keys. */
export async function publish(...keys: Keys[]): Promise<Endpoint> {
  const onRequest: RequestListener = (_request, response) => {
    endpoint.requests++;
    endpoint.answer(response);
  };
  const server = createServer(onRequest).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onDispose(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/jwks.json`;
  const endpoint: Endpoint = { url, requests: 0, answer: answerWith(setOf(...keys)) };
  return endpoint;
}

export const setOf = (...keys: Keys[]): JSONWebKeySet => ({ keys: keys.map(({ jwk }) => jwk) });

/** Answers with JSON. */
export const answerWith = (body: unknown) => (response: ServerResponse): void => {
  response.setHeader("content-type", "application/json").end(JSON.stringify(body));
};

/** How an endpoint may be of no use. */
export const OUTAGES: Record<string, Endpoint["answer"]> = {
  "answers 500": (response) => response.writeHead(500).end("down"),
  "answers with a page": (response) => response.writeHead(200).end("<!doctype html>"),
  "answers with no set": (response) => response.end("{}"),
  "answers with null": (response) => response.end("null"),
  "sends elsewhere": (response) => response.writeHead(302, { location: "/other" }).end(),
  "breaks off": (response) => response.destroy(),
  "says nothing": () => {},
  "answers with half of it": (response) => response.writeHead(200).write('{"keys":['),
};

/** Has the clock that keys are measured by go on by so many milliseconds, until the test is over. */
export function skip(ms: number): void {
  const { now } = Date;
  setClock(() => now() + ms);
}

/** Has it stand still. */
export function stop(): void {
  const now = Date.now();
  setClock(() => now);
}

function setClock(clock: () => number): void {
  const { now } = Date;
  Date.now = clock;
  onDispose(() => {
    Date.now = now;
  });
}
