import type { Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { MacAddress } from '../address/mac-address.ts';

/** Which network namespace a step acts in: the node's or the pod's. */
export type Place = 'host' | 'sandbox';

/** A route of the main table with protocol `boot`, unless a field says otherwise. */
export interface Route {
  readonly destination: Cidr;
  readonly gateway: IpAddress | undefined;
  /** `global`, `link` or the kernel's number. */
  readonly scope: 'global' | 'link' | number;
  readonly mtuBytes?: number;
  readonly advertisedMssBytes?: number;
  readonly priority?: number;
  readonly table?: number;
}

/** One change of the kernel's state. ADD applies a list of them, CHECK compares them, `plan` prints them. */
export type Step =
  | {
      readonly kind: 'create-veth';
      readonly host: { readonly name: string; readonly mac: MacAddress; readonly alias: string };
      readonly container: { readonly name: string; readonly mac: MacAddress | undefined };
      readonly mtuBytes: number | undefined;
      readonly queueCount: number | undefined;
    }
  | {
      readonly kind: 'write-sysctl';
      readonly in: Place;
      /** Path below /proc/sys. */
      readonly key: string;
      readonly value: string;
      /** `skip`: a kernel without IPv6 has no such file, and needs no such setting. */
      readonly whenMissing: 'fail' | 'skip';
    }
  | { readonly kind: 'set-up'; readonly in: Place; readonly interface: string }
  | {
      readonly kind: 'add-route';
      readonly in: Place;
      readonly interface: string;
      readonly route: Route;
      /** Where another interface has a route of this destination: an error, or a second one beside it. */
      readonly whenTaken: 'fail' | 'append';
    }
  | { readonly kind: 'add-address'; readonly in: Place; readonly interface: string; readonly address: Cidr };
