/** What tells one pod from another of the same name. */
export interface PodIdentity {
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * True if the Pod that the API has is the one whose sandbox the runtime is making.
 *
 * A static pod has its own uid on the node, and a mirror in the API with another one, which names the first in its annotation.
 *
 * @param podUid K8S_POD_UID; a runtime that does not send it cannot be contradicted
 * @see k8s.io/kubernetes pkg/kubelet/types, ConfigMirrorAnnotationKey
 */
export function isSamePod({ uid, annotations }: PodIdentity, podUid: string | undefined): boolean {
  return podUid === undefined || uid === podUid || annotations['kubernetes.io/config.mirror'] === podUid;
}
