// What the bundle has in node-gyp-build's place: the addon travels inside the executable (build/executable.ts).
const { loadNativeAddon } = require('../src/kernel/native-addon.ts');
module.exports = () => loadNativeAddon('netlink');
