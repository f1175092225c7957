import type { FindingNumber } from '../cni/error.ts';
import { FAILURES, type FindingDescription } from './finding-description.ts';

/** Findings about the runtime, its plugins, the API server and permissions: PW1xx, PW2xx and PW4xx. */
export const ACCESS_FINDINGS = {
  PW101: {
    title: 'The runtime uses other folders',
    effect: 'pods cannot start',
    cause:
      'The container runtime is configured to read network configurations or plugins from folders other than those that podwire is installed in.',
    remedy:
      'Set CNI_NET_DIR and CNI_BIN_DIR of the DaemonSet, and its hostPath volumes, to the folders of the runtime.',
    causes: [],
  },
  PW102: {
    title: 'The network configuration is missing or invalid',
    effect: 'pods cannot start',
    cause: 'The folder of network configurations has no file for podwire, or the file has an error.',
    remedy:
      'Correct the key that the message names, or let the installer write the file again: delete the podwire pod of the node.',
    causes: [...FAILURES],
  },
  PW103: {
    title: 'A plugin is missing',
    effect: 'pods cannot start',
    cause: 'The network configuration names a plugin that is in none of the folders of CNI_PATH.',
    remedy: 'Let the installer copy its plugins again, or install the package containernetworking-plugins.',
    causes: [...FAILURES],
  },
  PW104: {
    title: 'A plugin cannot run',
    effect: 'pods cannot start',
    cause:
      'The file system is mounted noexec, a library is missing, the file was built for another architecture, or users other than root can change it.',
    remedy:
      'Do what the message says about the file: remount with exec, install the library, or correct owner and mode.',
    causes: [...FAILURES],
  },
  PW105: {
    title: 'The runtime uses another network configuration',
    effect: 'pods cannot start',
    cause:
      'Runtimes use the first file of the folder by name. A file of another plugin comes before the one of podwire.',
    remedy: 'Remove or rename the other file, or give podwire a name that comes first (CNI_CONF_NAME).',
    causes: [...FAILURES],
  },
  PW106: {
    title: 'Another network configuration is left over',
    effect: 'untidy',
    cause: 'A file of another pod network is in the folder. It takes over if the one of podwire is ever missing.',
    remedy: 'Remove it, or list it in CNI_OLD_CONF_NAME of the DaemonSet.',
    causes: [],
  },
  PW107: {
    title: 'Two versions of podwire',
    effect: 'untidy',
    cause: 'The executable in the folder of plugins is not the one that runs this command.',
    remedy: 'Restart the podwire pod of the node: its installer replaces the executable.',
    causes: [],
  },
  PW108: {
    title: 'SELinux denies what podwire does',
    effect: 'pods cannot start',
    cause:
      'A file or folder of podwire has a label that the policy of the node does not allow the container runtime to use.',
    remedy: 'Give the files their default labels with restorecon. If that does not help, the policy needs a rule.',
    causes: ['PW104', ...FAILURES],
  },
  PW109: {
    title: 'The native code of podwire cannot be loaded',
    effect: 'pods cannot start',
    cause:
      'podwire loads two native addons from its own folder. The file system is mounted noexec or full, a security module forbids execution, or the folder does not belong to root.',
    remedy:
      'Mount the file system without noexec, or let the installer choose another folder: delete the podwire pod of the node.',
    causes: ['PW104', ...FAILURES],
  },
  PW110: {
    title: 'A plugin does not know the version of the configuration',
    effect: 'pods cannot start',
    cause: 'A plugin of the list is older than the cniVersion of the network configuration, and rejects it.',
    remedy: 'Let the installer copy its plugins again, or set cniVersion to a version that all plugins support.',
    causes: [...FAILURES],
  },
  PW111: {
    title: 'Multus attaches pods to another network',
    effect: 'pods cannot start',
    cause:
      'The runtime calls Multus. The primary network in its configuration is not that of podwire, or the file of that network does not exist.',
    remedy:
      'Remove the file of the other network, and let Multus write its configuration again: delete its pod of the node.',
    causes: [...FAILURES],
  },
  PW201: {
    title: 'The API server cannot be reached',
    effect: 'pods cannot start',
    cause:
      'The server in the kubeconfig does not accept connections from this node, does not answer in time, or answers with an error.',
    remedy:
      'Check the address in the kubeconfig, the firewall and the server. The address must work without any pod: it must not be that of a Service.',
    causes: ['PW203', 'PW301', 'PW302', 'PW401', 'PW403', 'PW404', ...FAILURES],
  },
  PW202: {
    title: 'The API server is not trusted',
    effect: 'pods cannot start',
    cause:
      'The certificate of the server was not signed by the certificate authority in the kubeconfig, is for another name, or is not valid at this time.',
    remedy:
      'Let the installer write the kubeconfig again with the current authority: delete the podwire pod of the node.',
    causes: ['PW301', 'PW302', 'PW401', 'PW403', 'PW404', ...FAILURES],
  },
  PW203: {
    title: 'The API server is slow',
    effect: 'will fail soon',
    cause: 'Requests take a large part of the time that one may take (budgets.api_request_ms).',
    remedy: 'Find out what slows down the server, or increase the budgets in the network configuration.',
    causes: [],
  },
  PW204: {
    title: 'The clock of the node is wrong',
    effect: 'pods cannot start',
    cause:
      'The clock differs from that of the API server. Certificates and tokens are then not yet, or no longer, valid.',
    remedy: 'Set the clock, and let a time service keep it.',
    causes: ['PW202', 'PW401', 'PW405', ...FAILURES],
  },
  PW205: {
    title: 'The kubeconfig cannot be used',
    effect: 'pods cannot start',
    cause: 'The kubeconfig, or a file that it names, is missing, cannot be read, or has an error.',
    remedy: 'Let the installer write it again: delete the podwire pod of the node.',
    causes: [...FAILURES],
  },
  PW206: {
    title: 'The name of the API server is not resolved',
    effect: 'pods cannot start',
    cause: 'The kubeconfig names the API server by a name. Name servers of the node do not know it, or do not answer.',
    remedy: 'Correct /etc/resolv.conf or the name server, or let the kubeconfig name the server by its address.',
    causes: ['PW201', ...FAILURES],
  },
  PW401: {
    title: 'The token is refused',
    effect: 'pods cannot start',
    cause: 'The token has expired, or its account was deleted, or the API server signs tokens with another key.',
    remedy:
      'Find out why the renewer (container "token" of the DaemonSet) did not replace it; a new podwire pod writes a new one.',
    causes: ['PW301', 'PW302', 'PW403', 'PW404', 'PW405', ...FAILURES],
  },
  PW402: {
    title: 'The token is bound to a Node that no longer exists',
    effect: 'pods cannot start',
    cause: 'The Node object was deleted and created again. Its new uid makes the token invalid.',
    remedy: 'A new podwire pod writes a token for the new Node.',
    causes: ['PW301', 'PW302', 'PW401', 'PW403', 'PW404', 'PW405', ...FAILURES],
  },
  PW403: {
    title: 'A permission is missing',
    effect: 'pods cannot start',
    cause: 'The account of the plugin is not permitted to get pods, get nodes or patch pods/status.',
    remedy:
      'Apply cni-conf/rbac.yaml. If the plugin uses another account than podwire, bind the ClusterRole podwire to it.',
    causes: ['PW301', 'PW302', 'PW404', ...FAILURES],
  },
  PW404: {
    title: 'Admission refuses the request',
    effect: 'pods cannot start',
    cause:
      'An admission webhook or an admission policy denies, or a webhook that does not answer fails, the request with which podwire writes the endpoint of a pod.',
    remedy: 'Exempt the account of the plugin in the webhook or policy that the message names.',
    causes: [...FAILURES],
  },
  PW406: {
    title: 'Two programs write the kubeconfig',
    effect: 'will fail soon',
    cause:
      'calico-node (CALICO_MANAGE_CNI=true) and the container "token" of podwire both write calico-kubeconfig. Each replaces what the other has written.',
    remedy: 'Let one of them write it: set CALICO_MANAGE_CNI=false, or remove the container "token" of podwire.',
    causes: [],
  },
  PW405: {
    title: 'The token is not renewed',
    effect: 'will fail soon',
    cause:
      'The renewer (container "token" of the DaemonSet) replaces a token after 70 to 80 % of its life. It has not.',
    remedy: 'Read its log, and restart it.',
    causes: [],
  },
} as const satisfies Readonly<Record<FindingNumber, FindingDescription>>;
