import type { Drift } from '../plan/drift.ts';

/** Everything that is known about one attachment. `podwire explain -o json` prints it. */
export interface AttachmentReport {
  readonly schema: 1;
  readonly node: string;
  readonly network: string;
  readonly pod: string;
  readonly container: string;
  readonly interface: string;
  readonly stage: string;
  readonly startedAt: string;
  readonly sandbox: { readonly path: string; readonly state: 'exists' | 'gone' | 'not visible from here' };
  readonly host: EndReport;
  readonly inside: EndReport;
  readonly leases: readonly { readonly address: string; readonly file: string }[];
  readonly record: string;
  readonly endpoint: {
    readonly addresses: string;
    readonly state: 'as planned' | 'differs' | 'unknown';
    readonly why: string;
  };
  /** What the policy agent reports. */
  readonly policy: string;
  readonly differences: readonly (Drift & { readonly effect: string })[];
  readonly fix: readonly string[];
  readonly operations: readonly OperationReport[];
}

/** One end of the veth pair. */
export interface EndReport {
  readonly name: string;
  /** `undefined` for an interface that does not exist or cannot be seen. */
  readonly mac: string | undefined;
  readonly mtuBytes: number | undefined;
  readonly addresses: readonly string[];
  readonly routes: readonly LineReport[];
  readonly settings: readonly LineReport[];
  readonly neighbors: readonly string[];
}

/** A route or a setting of the plan, and whether it is as planned. */
export interface LineReport {
  readonly text: string;
  readonly isAsPlanned: boolean;
}

/** A line of the log about this attachment. */
export interface OperationReport {
  readonly time: string;
  readonly level: string;
  readonly command: string;
  readonly message: string;
}
