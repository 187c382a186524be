// Namespace tests: real kernel, real programs, one file at a time.
export default {
  rootDir: '../../dist/test/netns',
  testMatch: ['**/*.test.js'],
  transform: {},
  testTimeout: 120_000,
  maxWorkers: 1,
};
