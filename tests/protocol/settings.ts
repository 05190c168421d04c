import type { ServerOptions, Socket } from "socket.io";
import { AuthError } from "../../mod.ts";
import { verify } from "../kit/users.ts";
import { verifyWithCode } from "./application.ts";

/** What a scenario of the protocol takes besides what all have. */
interface Setting {
  /** Options of `socketioAuth`. */
  readonly options?: object;
  readonly server?: Partial<ServerOptions>;
  /** What happens only here. */
  readonly happenings?: Record<string, () => unknown>;
}

const HOUR = 3_600_000;

/** A session of this length, in milliseconds. */
const lasting = (ms: number) => ({ expiresAt: () => Date.now() + ms });

const recoverable = () => ({ server: { connectionStateRecovery: {} } });

function hinting(socket: Socket, credentials: never) {
  socket.emit("hint");
  return verify(socket, credentials);
}

/** A verifier that answers when it is told to. */
function slow(): Setting {
  const asked = Promise.withResolvers<void>();
  return {
    options: {
      verify: async (socket: Socket, credentials: never) => {
        await asked.promise;
        return verify(socket, credentials);
      },
    },
    happenings: { "the verification ends": () => asked.resolve() },
  };
}

/** A verifier that fails once it is told to. */
function failing(): Setting {
  let isDown = false;
  return {
    options: {
      verify: (socket: Socket, credentials: never) => {
        if (isDown) throw new Error("No connection to the database");
        return verify(socket, credentials);
      },
    },
    happenings: { "the database of the server is down": () => isDown = true },
  };
}

/** A first session that is short, and a second one that is not. */
function shortAndLong(): Setting {
  const lengths = [HOUR, 300];
  return { options: { expiresAt: () => Date.now() + lengths.pop()! } };
}

/** A limit that is reached, until it is told that time has passed. */
function limited(): Setting {
  let isReached = true;
  const consume = () => isReached ? Promise.reject({ msBeforeNext: 1000 }) : Promise.resolve();
  return {
    options: { throttle: { limiter: { consume } } },
    happenings: { "the time to wait is over": () => isReached = false },
  };
}

function refusing(): never {
  throw new AuthError("Account locked", { code: "locked" });
}

/** By the headings of docs/protocol/scenarios.md. */
export const settings: Record<string, () => Setting> = {
  "1. Success": () => ({}),
  "2. Refusal": () => ({}),
  "3. Silence": () => ({ options: { timeout: 100 } }),
  "4. A verification that takes too long": () => ({
    options: { timeout: 1000, verify: () => new Promise(() => {}) },
  }),
  "5. Success, with an acknowledgement": () => ({}),
  "6. Refusal, with an acknowledgement": () => ({}),
  "7. Another try on one transport": () => ({ options: { attempts: 2 } }),
  "8. Two attempts at once": slow,
  "9. A challenge": () => ({ options: { verify: verifyWithCode } }),
  "10. Traffic before the sign-in": () => ({ options: { verify: hinting } }),
  "11. Too many events": () => ({ options: { holdLimit: { events: 1 } } }),
  "12. A server that is busy": () => ({ options: { maxPending: 0 } }),
  "13. Refresh": () => ({ options: lasting(HOUR) }),
  "14. A refresh that is refused": () => ({}),
  "15. A refresh as another user": () => ({}),
  "16. Expiry without a grace": () => ({ options: lasting(300) }),
  "17. Expiry with a grace, and a late refresh": () => ({
    options: { ...lasting(0), grace: HOUR },
  }),
  "18. Expiry with a grace, and no refresh": () => ({ options: { ...lasting(0), grace: 300 } }),
  "19. Revocation": () => ({}),
  "20. Sign-out, and in again": () => ({}),
  "21. Recovery by the same user": recoverable,
  "22. Recovery by another user": recoverable,
  "23. Credentials in CONNECT, accepted": () => ({ options: { handshake: true } }),
  "24. Credentials in CONNECT, refused": () => ({ options: { handshake: true } }),
  "25. Credentials in CONNECT, another try": () => ({ options: { handshake: true, attempts: 2 } }),
  "26. No credentials in CONNECT": () => ({ options: { handshake: true } }),
  "27. A challenge to credentials in CONNECT": () => ({
    options: { handshake: true, verify: verifyWithCode },
  }),
  "28. Several namespaces": () => ({}),
  "29. Several namespaces, and credentials in CONNECT": () => ({ options: { handshake: true } }),
  "30. Several namespaces, refused": () => ({}),
  "31. Leaving before the sign-in": () => ({ options: { timeout: 1000 } }),
  "32. A second sign-in of a user without an id": () => ({ options: { userId: () => undefined } }),
  "33. A refresh that fails without a verdict": failing,
  "34. Credentials of the transport": () => ({
    options: { handshake: () => ({ username: "ada", password: "right" }) },
  }),
  "35. What is sent between a refusal and the close": () => ({}),
  "36. Credentials of another user in CONNECT": () => ({ options: { handshake: true } }),
  "37. A namespace that the user may not have": () => ({
    options: { authorize: (_user: unknown, { nsp }: Socket) => nsp.name === "/" },
  }),
  "38. No namespace that the user may have": () => ({ options: { authorize: () => false } }),
  "39. Coming back after a session": shortAndLong,
  "40. Coming back after retryAfter": limited,
  "41. A code of the application": () => ({ options: { verify: refusing } }),
  "42. A session that is shortened": () => ({}),
  "43. A CONNECT_ERROR without a code": () => ({}),
};
