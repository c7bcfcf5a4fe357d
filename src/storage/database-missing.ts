/** There is no database of this service at the address, and it must not be made. */
export class DatabaseMissing extends Error {
  override readonly name = 'DatabaseMissing';
}
