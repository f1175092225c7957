// What the bundle has in node-gyp-build's place: the addon travels inside the executable (build/executable.ts).
const { loadNativeAddon } = require('../src/system/native-addon.ts');
module.exports = () => loadNativeAddon('netlink');
