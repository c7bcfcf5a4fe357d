import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a process of the bench can be asked: each method takes one value and promises one. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>;

/** A process of the bench, from the outside. */
export interface HelperProcess<M extends Methods> {
  readonly pid: number;
  /** Asks it; rejects with its error, or when it has ended. */
  ask<K extends keyof M & string>(
    method: K,
    argument: Parameters<M[K]>[0],
  ): Promise<Awaited<ReturnType<M[K]>>>;
  close(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly method: string;
  readonly argument: never;
}

interface Reply<T> {
  readonly id: number;
  readonly value?: T;
  readonly error?: string;
}

/** Both ends are this program, so that the shape is all there is to look at. */
function hasId(message: unknown): message is { readonly id: number } {
  return typeof message === 'object' && message !== null && 'id' in message;
}
function isQuestion(message: unknown): message is Question {
  return hasId(message) && 'method' in message;
}
function isReply<T>(message: unknown): message is Reply<T> {
  return hasId(message);
}

/** Starts a file of the bench as a process that `answerParent` in it answers for. */
export async function startHelper<M extends Methods>(
  file: URL,
  options: { readonly env?: Readonly<Record<string, string>>; readonly execArgv?: readonly string[] } = {},
): Promise<HelperProcess<M>> {
  const child: ChildProcess = fork(file, {
    serialization: 'advanced',
    // What the service's parts log is read by nobody; what goes wrong is.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...options.env },
    execArgv: ['--disable-warning=ExperimentalWarning', ...(options.execArgv ?? [])],
  });
  // That nobody can be asked any more is told by 'exit'.
  child.on('error', () => {});
  const exited = once(child, 'exit');
  await Promise.race([once(child, 'spawn'), exited]);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file.pathname} did not start`);
  let ended = 'the process has ended';
  let lastId = 0;
  /** Whoever has asked, to be told of the message with that id, or that none will come. */
  const pending = new Map<number, (message: unknown) => void>();
  child.on('message', (message) => {
    if (hasId(message)) pending.get(message.id)?.(message);
  });
  child.once('exit', (code, signal) => {
    ended = `the process has ended (${signal ?? code})`;
    for (const tell of pending.values()) tell(undefined);
  });
  const ask = <T>(method: string, argument: unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      const refuse = (why: string): void => reject(new Error(`${file.pathname}, ${method}: ${why}`));
      if (!child.connected) {
        refuse(ended);
        return;
      }
      lastId += 1;
      const id = lastId;
      pending.set(id, (message) => {
        pending.delete(id);
        if (!isReply<T>(message)) refuse(ended);
        else if (message.value === undefined) refuse(message.error ?? 'no value');
        else resolve(message.value);
      });
      child.send({ id, method, argument });
    });
  return {
    pid,
    ask: (method, argument) => ask(method, argument),
    close: async () => {
      if (child.connected) child.disconnect();
      const killed = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await exited;
      clearTimeout(killed);
    },
  };
}

/** Answers the process that started this one, until it lets go. */
export function answerParent(methods: Methods): void {
  process.on('message', (message) => {
    if (!isQuestion(message)) return;
    const { id, method, argument } = message;
    const answer = async () => {
      const asked = methods[method];
      if (asked === undefined) throw new Error('there is no such method');
      return (await asked(argument)) ?? true;
    };
    answer().then(
      (value) => process.send?.({ id, value }),
      (error: unknown) =>
        process.send?.({
          id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
    );
  });
  // Whoever asked is gone, however it ended.
  process.once('disconnect', () => process.exit());
}
