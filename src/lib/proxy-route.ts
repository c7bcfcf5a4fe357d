import type { ProxyAddress } from './proxy-address.ts';

/** A proxy with the setting that names it, which errors quote. */
export interface ForwardProxy extends ProxyAddress {
  readonly setting: string;
}

/** How an address is reached. */
export interface ProxyRoute {
  /** Undefined: directly. */
  readonly proxy: ForwardProxy | undefined;
  /** The setting that decides it; undefined: none is set. */
  readonly setting: string | undefined;
}

/** Which proxy applies to an address. */
export type ProxyRoutes = (url: URL) => ProxyRoute;

/** No proxy for anything. */
export const DIRECTLY: ProxyRoutes = () => ({ proxy: undefined, setting: undefined });
