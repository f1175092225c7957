// Constants of the kernel, with their names in its headers linux/netlink.h, rtnetlink.h, if_link.h and if_addr.h.

export const NETLINK_ROUTE = 0;

export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3 } as const;

export const NLM_F = {
  REQUEST: 0x1,
  ACK: 0x4,
  DUMP_INTR: 0x10,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
} as const;

/**
 * The two upper bits of an attribute type are flags: the kernel sets them in some replies and does not require them
 * here.
 */
export const NLA_TYPE_MASK = 0x3fff;

export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  GETADDR: 22,
  NEWROUTE: 24,
  GETROUTE: 26,
} as const;

export const AF = { UNSPEC: 0, INET: 2, INET6: 10 } as const;

export const IFF_UP = 0x1;

export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  LINKINFO: 18,
  IFALIAS: 20,
  AF_SPEC: 26,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  NUM_TX_QUEUES: 31,
  NUM_RX_QUEUES: 32,
} as const;

export const RTEXT_FILTER_SKIP_STATS = 1 << 3;

export const IFLA_INFO = { KIND: 1, DATA: 2 } as const;

export const VETH_INFO_PEER = 1;

export const IFLA_INET6_ADDR_GEN_MODE = 8;

export const IN6_ADDR_GEN_MODE = { EUI64: 0, NONE: 1 } as const;

export const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;

export const IFA_F_NODAD = 0x2;

export const RTA = { DST: 1, SRC: 2, IIF: 3, OIF: 4, GATEWAY: 5, PRIORITY: 6, METRICS: 8, TABLE: 15 } as const;

export const RTAX = { MTU: 2, ADVMSS: 8 } as const;

export const RT_TABLE = { UNSPEC: 0, MAIN: 254 } as const;

export const RT_SCOPE = { UNIVERSE: 0, LINK: 253 } as const;

export const RTPROT_BOOT = 3;

export const RTN_UNICAST = 1;

export const RTN_LOCAL = 2;
