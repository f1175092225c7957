// The bundle has this file instead of node-gyp-build, because the addon is inside the executable (build/executable.ts).
const { loadNativeAddon } = require('../src/system/native-addon.ts');
module.exports = () => loadNativeAddon('netlink');
