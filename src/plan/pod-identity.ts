/** What distinguishes a Pod from an earlier or later one with the same name. */
export interface PodIdentity {
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * True if the Pod of the API server is the pod whose sandbox the runtime is creating.
 *
 * A static pod has one uid on the node. Its mirror Pod on the API server has another uid, and the uid of the node in an
 * annotation.
 *
 * @param podUid K8S_POD_UID; if the runtime does not set it, every Pod is considered the same
 * @see k8s.io/kubernetes pkg/kubelet/types, ConfigMirrorAnnotationKey
 */
export function isSamePod({ uid, annotations }: PodIdentity, podUid: string | undefined): boolean {
  return podUid === undefined || uid === podUid || annotations['kubernetes.io/config.mirror'] === podUid;
}

/**
 * True if the API server may know the pod by this uid. It gives its Pods a UUID; the uid of a static pod is a hash, without hyphens.
 *
 * @see k8s.io/kubernetes pkg/kubelet/config/common.go, applyDefaults
 */
export function isUidOfApi(podUid: string | undefined): podUid is string {
  return podUid?.includes('-') === true;
}
