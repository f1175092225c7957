import type { Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { MacAddress } from '../address/mac-address.ts';

/** The network namespace in which a step acts: the namespace of the host or the sandbox of the pod. */
export type Place = 'host' | 'sandbox';

/** A route. The defaults are the main table, no priority and no metrics; the kernel reports its protocol as `boot`. */
export interface Route {
  readonly destination: Cidr;
  readonly gateway: IpAddress | undefined;
  /** `global`, `link` or a number of the kernel. */
  readonly scope: 'global' | 'link' | number;
  readonly mtuBytes?: number;
  readonly advertisedMssBytes?: number;
  readonly priority?: number;
  readonly table?: number;
}

/**
 * One change to the network configuration. ADD applies a list of steps; CHECK compares the same list with what it
 * observes.
 */
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
      /** A path below /proc/sys. */
      readonly key: string;
      readonly value: string;
      /** `skip` for IPv6: a kernel without IPv6 has no such file and does not need the setting. */
      readonly whenMissing: 'fail' | 'skip';
      /** Write only if the setting has one of these values. Undefined: write in any case. */
      readonly ifValueIn?: readonly string[] | undefined;
      /**
       * What is worse without this setting, for the log: a setting that cannot be written is a warning. Undefined for a
       * setting without which the pod has no network, or the node is not safe from the pod: that is an error.
       */
      readonly consequence?: string | undefined;
    }
  | {
      readonly kind: 'set-up';
      readonly in: Place;
      readonly interface: string;
      /**
       * `from-mac`: the interface gets the link-local address that the kernel would make from its MAC, but without
       * duplicate address detection, so that it can be used at once. Undefined: the kernel makes it, if it does.
       */
      readonly linkLocalAddress?: 'from-mac' | undefined;
    }
  | {
      readonly kind: 'add-route';
      readonly in: Place;
      readonly interface: string;
      readonly route: Route;
      /**
       * What to do if another interface has a route to this destination: fail, add this route after that one with the same priority, or
       * yield to it with the next free lower priority. For IPv6 the kernel would make one route with two next hops of routes of the same
       * priority.
       */
      readonly whenTaken: 'fail' | 'append' | 'yield';
    }
  | { readonly kind: 'add-address'; readonly in: Place; readonly interface: string; readonly address: Cidr };

/** The steps of one kind, or of several. */
export type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;
