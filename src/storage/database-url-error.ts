/** `DATABASE_URL` cannot be used as it is. The message is one line for the operator. */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError';
  /** The message without the setting, for an address that comes from elsewhere. */
  readonly problem: string;

  constructor(problem: string, options?: { readonly cause: unknown }) {
    super(`DATABASE_URL: ${problem}`, options);
    this.problem = problem;
  }
}
