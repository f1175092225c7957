import type { MacAddress } from '../address/mac-address.ts';

/** What the kernel says about an interface. */
export interface ObservedInterface {
  readonly index: number;
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtuBytes: number;
  readonly alias: string | undefined;
  /** `veth`; undefined for one without a driver's name, like `lo`. */
  readonly linkKind: string | undefined;
  readonly isUp: boolean;
}
