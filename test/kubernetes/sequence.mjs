// The order of the files: what needs a cluster without weft, what installs it and takes it out again, and then what all use
// one installation, so that it is made once.
import Sequencer from '@jest/test-sequencer';

const order = [
  ...['chart', 'crds', 'reflector', 'source', 'status', 'replicas'],
  ...['install', 'kubectl-weft'],
  ...[
    'metrics',
    'node-identity',
    'enrolment',
    'services',
    'network-policy',
    'faults',
    'upgrade',
    'first-connect',
  ],
];

export default class extends Sequencer {
  /** Files that the list does not name come last. */
  sort(tests) {
    const place = ({ path }) => {
      const found = order.findIndex((name) => path.endsWith(`/${name}.test.js`));
      return found === -1 ? order.length : found;
    };
    return [...tests].sort((left, right) => place(left) - place(right));
  }
}
