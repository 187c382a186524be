// Tests on a real cluster (test/cluster), one file at a time, because some of them stop parts of it.
export default {
  rootDir: '../../dist/test/kubernetes',
  testMatch: ['**/*.test.js'],
  transform: {},
  globalSetup: '<rootDir>/harness/load-image.js',
  testSequencer: new URL('sequence.mjs', import.meta.url).pathname,
  testTimeout: 120_000,
  maxWorkers: 1,
};
