import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { ConnectionStanding, StreamEnd } from './connection-types.ts';

/** The debug data by which gRPC servers complain of PINGs. */
const TOO_MANY_PINGS = 'too_many_pings';

/** What a peer has processed of a connection's requests: what it answered, and what its GOAWAYs say of the rest. */
export class Processed {
  #answered = 0;
  #lastStream = Number.POSITIVE_INFINITY;
  #promises = false;
  #condemned = false;

  /** How many requests were answered. */
  get answered(): number {
    return this.#answered;
  }

  /** Whether the connection did its job. */
  get standing(): ConnectionStanding {
    if (this.#promises && this.#lastStream > 0) return this.#answered > 0 ? 'served' : 'promised';
    return this.#answered > 0 && !this.#condemned ? 'served' : 'unproven';
  }

  /** A request was answered. */
  answer(): void {
    this.#answered++;
  }

  /** A GOAWAY (RFC 9113, 6.8) came while `openStreams` were open. */
  goaway(code: number, lastStreamId: number, openStreams: number): void {
    this.#lastStream = Math.min(this.#lastStream, lastStreamId);
    if (code !== constants.NGHTTP2_NO_ERROR) this.#condemned = true;
    else if (openStreams > 0) this.#promises = true;
  }

  /** What the end of a stream without an answer means. `broken`: its connection ended under it. */
  endOf({ id, rstCode }: ClientHttp2Stream, broken: boolean): StreamEnd {
    const neverSent = id === undefined;
    if (neverSent || id > this.#lastStream)
      return this.standing === 'unproven' ? 'unprocessed' : 'passed-over';
    if (broken) return 'lost';
    return rstCode === constants.NGHTTP2_REFUSED_STREAM ? 'refused' : 'reset';
  }
}

/** Whether a GOAWAY complains of too many PINGs. */
export function complainsOfPings(code: number, text: string): boolean {
  return code === constants.NGHTTP2_ENHANCE_YOUR_CALM && text.includes(TOO_MANY_PINGS);
}

/**
 * Right after an error GOAWAY node:http2 destroys the session, and with it the answers that the peer still gives to streams
 * up to the last id (RFC 9113, 6.8): those requests would be sent twice. This has them finish, as after NO_ERROR.
 */
export function finishStreams(session: ClientHttp2Session): void {
  const { destroy } = session;
  session.destroy = () => {
    session.destroy = destroy;
    session.close();
  };
}
