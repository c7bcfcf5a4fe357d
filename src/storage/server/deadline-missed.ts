/** The database server did not do what it was asked within the limit; the connection was closed. */
export class DeadlineMissed extends Error {
  override readonly name = 'DeadlineMissed';

  constructor(limitMs: number) {
    super(`the database did not answer within ${limitMs} ms`);
  }
}
