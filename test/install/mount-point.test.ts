import { describe, expect, it } from 'vitest';
import { contradictsMount } from '../../src/install/mount-point.ts';

const mounted = (root: string, point = '/host/opt/cni/bin') =>
  `1 0 8:1 / / rw - overlay overlay rw\n2 1 8:1 ${root} ${point} rw,relatime - ext4 /dev/sda1 rw\n`;
const contradicts = (mountInfo: string, nodePath = '/opt/cni/bin') =>
  contradictsMount(mountInfo, '/host/opt/cni/bin', nodePath);

describe('the folder that is mounted', () => {
  const agrees = (why: string, mountInfo: string, nodePath?: string) =>
    it(`can be that of the node: ${why}`, () => expect(contradicts(mountInfo, nodePath)).toBe(false));
  const differs = (why: string, mountInfo: string, nodePath?: string) =>
    it(`is another one: ${why}`, () => expect(contradicts(mountInfo, nodePath)).toBe(true));

  agrees('the same path', mounted('/opt/cni/bin'));
  agrees('/opt is a separate file system', mounted('/cni/bin'));
  agrees('/opt is a link into another folder', mounted('/ostree/deploy/os/var/opt/cni/bin'));
  agrees('it is a separate file system', mounted('/'));
  agrees('nothing is mounted there', mounted('/other', '/host/etc/cni/net.d'));
  agrees('white space in its path', mounted('/my\\040plugins/bin'), '/my plugins/bin');
  differs('k3s has its own, and CNI_BIN_DIR is not set', mounted('/var/lib/rancher/k3s/data/current/bin'));
  differs('CNI_BIN_DIR names another', mounted('/opt/cni/bin'), '/usr/lib/cni');
  differs('the last of two mounts counts', `${mounted('/opt/cni/bin')}${mounted('/tmp/x')}`);
});
