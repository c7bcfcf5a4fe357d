/**
 * The time as pino wants it, `,"time":"2026-01-31T12:00:00.000Z"`. Date's own ISO 8601, of which all but the milliseconds is
 * made once a second: there are two lines for each call.
 */
export function createIsoTime(wall: () => number = Date.now): () => string {
  let second = Number.NaN;
  let beginning = '';
  return () => {
    const now = wall();
    const milliseconds = now % 1_000;
    if (now - milliseconds !== second) {
      second = now - milliseconds;
      beginning = `,"time":"${new Date(second).toISOString().slice(0, -4)}`;
    }
    return `${beginning}${String(milliseconds).padStart(3, '0')}Z"`;
  };
}
