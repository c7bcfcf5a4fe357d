/** Credentials that are being judged, by whom they are for; as many as there are requests. */
export class CredentialsUnderWay {
  readonly #requests = new Map<string, Map<string, number>>();

  enter(key: string, credential: string): void {
    const requests = this.#requests.get(key) ?? new Map<string, number>();
    this.#requests.set(key, requests);
    requests.set(credential, (requests.get(credential) ?? 0) + 1);
  }

  /** To be called once for each `enter`. */
  leave(key: string, credential: string): void {
    const requests = this.#requests.get(key);
    const left = (requests?.get(credential) ?? 0) - 1;
    if (left > 0) requests?.set(credential, left);
    else requests?.delete(credential);
    if (requests?.size === 0) this.#requests.delete(key);
  }

  /** How many that are not this one. */
  others(key: string, credential: string): number {
    const requests = this.#requests.get(key);
    if (requests === undefined) return 0;
    return requests.has(credential) ? requests.size - 1 : requests.size;
  }
}
