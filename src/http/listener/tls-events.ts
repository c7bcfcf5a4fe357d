/** Why a client did not get a TLS connection. */
export type TlsClientFault =
  /** Nothing, or not all, was sent in time. */
  | 'handshake-timeout'
  | 'connection-lost'
  /** It speaks nothing from TLS 1.2 on. */
  | 'old-protocol'
  | 'no-shared-cipher'
  /** It speaks HTTP without TLS. */
  | 'plain-http'
  /** It sends something else: a port scanner, or a load balancer that puts the PROXY protocol before TLS. */
  | 'not-tls'
  /** It does not accept our certificate: unknown authority, expired, another name. */
  | 'certificate-refused'
  | 'other';

/** A certificate of ours and its end, milliseconds since the epoch. */
export interface KnownCertificate {
  readonly setting: 'TLS_CERT_FILE' | 'PBX_CLIENT_CA_FILE';
  readonly expiresAt: number;
}

/** What happens to the TLS of the main listener: for log and metrics. */
export interface TlsEvents {
  /** The certificates in use; told at start, after each reload, and daily. */
  certificatesKnown(certificates: readonly KnownCertificate[]): void;
  /** The files were read again and serve new connections. */
  reloaded(event: { readonly subject: string; readonly expiresAt: number }): void;
  /** The files were read again and cannot be used: the former ones stay. */
  reloadFailed(event: { readonly problems: readonly string[] }): void;
  /** A reload was asked for and there is no TLS. */
  nothingToReload(): void;
  /** A client came and did not get a TLS connection, or broke it by a TLS fault. */
  clientFailed(event: { readonly why: TlsClientFault }): void;
}
