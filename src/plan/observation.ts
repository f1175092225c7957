import type { Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { MacAddress } from '../address/mac-address.ts';
import type { StepOf } from './step.ts';

/** A step, and what the kernel reports about the objects that this step creates or changes. */
export type Observation =
  | {
      readonly kind: 'create-veth';
      readonly step: StepOf<'create-veth'>;
      /** The interface with the name of this end, whatever its kind; undefined if it does not exist. */
      readonly host: ObservedInterface | undefined;
      readonly container: ObservedInterface | undefined;
    }
  | {
      readonly kind: 'write-sysctl';
      readonly step: StepOf<'write-sysctl'>;
      /** Undefined if the setting does not exist. */
      readonly value: string | undefined;
    }
  | {
      readonly kind: 'set-up';
      readonly step: StepOf<'set-up'>;
      /** Undefined if the interface does not exist. */
      readonly isUp: boolean | undefined;
    }
  | {
      readonly kind: 'add-route';
      readonly step: StepOf<'add-route'>;
      /** All routes to the destination of the step, in every table and by every interface. */
      readonly routes: readonly ObservedRoute[];
    }
  | {
      readonly kind: 'add-address';
      readonly step: StepOf<'add-address'>;
      /** The address of the step where its interface has it, once for each prefix length. */
      readonly addresses: readonly Cidr[];
    };

/** An interface as the kernel reports it. */
export interface ObservedInterface {
  readonly index: number;
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtuBytes: number;
  readonly alias: string | undefined;
  /** For example `veth`; undefined if its driver reports no kind, as for `lo` and physical interfaces. */
  readonly linkKind: string | undefined;
  /** The index of the other end of a veth, which counts in the network namespace of that end. */
  readonly peerIndex: number | undefined;
  readonly isUp: boolean;
}

/** A unicast route as the kernel reports it. Scope, table and protocol are numbers of the kernel. */
export interface ObservedRoute {
  /** Undefined for a route with several next hops. */
  readonly interface: string | undefined;
  readonly gateway: IpAddress | undefined;
  readonly scope: number;
  readonly priority: number;
  readonly table: number;
  readonly protocol: number;
  readonly mtuBytes: number | undefined;
  readonly advertisedMssBytes: number | undefined;
}
