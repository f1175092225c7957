import type { Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { CniError } from '../cni/error.ts';
import type { Seen } from './facts.ts';

/** What the API server answers. */
export interface ApiFacts {
  readonly server: string;
  /** `the kubeconfig /etc/cni/net.d/podwire-kubeconfig`. */
  readonly source: string;
  /** How its name is resolved; `undefined` if the kubeconfig has its address. */
  readonly name: NameFacts | undefined;
  readonly probe: ProbeFacts;
  readonly token: TokenFacts | undefined;
  /** The answer to a request with the plugin's credentials. */
  readonly answer:
    | { readonly kind: 'ok'; readonly version: string }
    | { readonly kind: 'failed'; readonly error: CniError };
  readonly rights: Seen<readonly RightFact[]>;
  readonly node: Seen<NodeObject | 'absent'>;
  /** What renews the token. It is only looked for if the token is refused, or should have been renewed. */
  readonly renewer: Seen<RenewerFact | 'absent'>;
  /** The other Nodes that are ready; of a large cluster, some of them. */
  readonly otherNodes: Seen<readonly OtherNode[]>;
  /** A patch of a pod of this node, which the server checks and does not apply. */
  readonly dryRun: Seen<{
    readonly pod: string;
    readonly error: CniError | undefined;
    readonly exemption: string | undefined;
  }>;
  /** Those of the pods that the log names, which were deleted meanwhile. */
  readonly deletedPods: readonly string[];
  readonly slowestMs: number | undefined;
  readonly requestBudgetMs: number;
  /** The server of the other credentials, which are the kubelet's or an administrator's: another address of the same API. */
  readonly otherServer: string | undefined;
}

/** The name of the API server, its addresses by the C library, and what each name server of the node answers. */
export interface NameFacts {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly servers: readonly {
    readonly address: string;
    readonly answer: 'address' | 'unknown name' | 'no answer';
  }[];
}

/** What a connection without credentials shows. */
export interface ProbeFacts {
  /** How far the clock of the node is ahead of the server's. */
  readonly clockAheadMs: number | undefined;
  readonly certificate: CertificateFacts | undefined;
  readonly tlsVersion: string | undefined;
  readonly elapsedMs: number | undefined;
}

export interface CertificateFacts {
  readonly issuer: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What a token says about itself, and where it is. */
export interface TokenFacts {
  readonly account: string | undefined;
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
  readonly boundNode: { readonly name: string; readonly uid: string } | undefined;
  readonly file: string | undefined;
  readonly fileWrittenMs: number | undefined;
}

/** The pod of podwire on this node, and its container `token`. */
export interface RenewerFact {
  readonly pod: string;
  /** `Running`, or why it does not run: `CrashLoopBackOff`. */
  readonly state: string;
  readonly isReady: boolean;
  readonly restartCount: number;
  /** The last line of its log; `undefined` if it cannot be read. */
  readonly lastLine: string | undefined;
}

export interface RightFact {
  /** `patch pods/status`. */
  readonly right: string;
  readonly isAllowed: boolean;
}

export interface NodeObject {
  readonly uid: string;
  readonly podCidrs: readonly Cidr[];
  /** A podCIDR that no Node has, if the credentials may list them. */
  readonly freePodCidr: string | undefined;
  /** How many pods the kubelet runs at most; undefined before it has reported that. */
  readonly maxPods: number | undefined;
}

export interface OtherNode {
  readonly name: string;
  readonly podCidrs: readonly Cidr[];
  /** Its addresses of the type InternalIP. */
  readonly addresses: readonly IpAddress[];
}
