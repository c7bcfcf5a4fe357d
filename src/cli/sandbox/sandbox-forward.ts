import { errorCode } from '../../lib/error-code.ts';
import type { DeliveredPush } from '../../sandbox/push-log.ts';
import { sendHttp } from '../../sandbox/send-http.ts';

/** Hands pushes on to a developer's own program. */
export interface Forward {
  /** Posts a push; does not wait and never throws. What goes wrong is reported in a line. */
  push(service: string, push: DeliveredPush): void;
  /** Gives up what is under way. */
  close(): void;
}

const TIMEOUT_MS = 5_000;
const MAX_IN_FLIGHT = 16;

/** Without the provider token: it is a credential, and no phone ever sees it. */
function bodyOf(service: string, { token, headers, payload }: DeliveredPush): string {
  const { authorization: _, ...shown } = headers;
  return JSON.stringify({ service, token, headers: shown, payload });
}

/** Posts each push as JSON: at most 16 at once, 5 s each. `say` gets the reports; they leave out the query of `url`, which may hold a secret. */
export function createForward(url: string, say: (line: string) => void): Forward {
  const closing = new AbortController();
  const { origin, pathname } = new URL(url);
  const where = origin + pathname;
  let inFlight = 0;

  const post = async (body: string): Promise<void> => {
    inFlight += 1;
    try {
      const headers = { 'content-type': 'application/json' };
      const { signal } = closing;
      const { status } = await sendHttp({
        method: 'POST',
        url,
        headers,
        body,
        signal,
        timeoutMs: TIMEOUT_MS,
      });
      if (status < 200 || status > 299) say(`--forward: ${where} answered ${status}`);
    } catch (error) {
      const code = errorCode(error) ?? 'no whole answer in time';
      if (!closing.signal.aborted) say(`--forward: ${where} did not take the push (${code})`);
    } finally {
      inFlight -= 1;
    }
  };

  return {
    push: (service, push) => {
      if (inFlight < MAX_IN_FLIGHT) void post(bodyOf(service, push));
      else say(`--forward: a push is left out, ${MAX_IN_FLIGHT} wait for an answer of ${where}`);
    },
    close: () => closing.abort(),
  };
}
