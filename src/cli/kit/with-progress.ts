const EVERY_MS = 200;
const CLEAR_LINE = '\r\u001b[K';

/** Shows how far long work is, as one line that is written anew, where standard error is a terminal. */
export async function withProgress<T>(words: () => string, work: () => Promise<T>): Promise<T> {
  const { stderr } = process;
  if (!stderr.isTTY) return work();
  // A longer text would wrap, and its first line stay. A terminal without a size has 0 columns.
  const width = (): number => (stderr.columns || 80) - 1;
  const show = (): void => void stderr.write(`${CLEAR_LINE}${words().slice(0, width())}`);
  show();
  const timer = setInterval(show, EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    stderr.write(CLEAR_LINE);
  }
}
