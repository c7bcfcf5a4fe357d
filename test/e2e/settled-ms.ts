/** After the last call is over, everybody else must know within this. */
export const SETTLED_MS = 2_000;
