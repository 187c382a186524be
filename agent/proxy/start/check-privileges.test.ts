import { parseProcessStatus, privilegeProblems, refusalText } from './check-privileges.js';

const status = (uid: string, effective: string, noNewPrivileges: string) =>
  `Name:\tnode\nUid:\t${uid}\nCapInh:\t0000000000000000\nCapPrm:\t${effective}\nCapEff:\t${effective}\n` +
  `CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t${noNewPrivileges}\n`;

test('an ordinary user with empty sets and no_new_privs may start, whatever the bounding set holds', () => {
  const text = status('65532\t65532\t65532\t65532', '0000000000000000', '1');
  expect(privilegeProblems(parseProcessStatus(text))).toEqual([]);
});

test('root, a saved uid of 0, a capability and a missing no_new_privs are each named', () => {
  const empty = '0000000000000000';
  expect(privilegeProblems(parseProcessStatus(status('0\t0\t0\t0', empty, '1')))).toHaveLength(1);
  expect(privilegeProblems(parseProcessStatus(status('1\t1\t0\t1', empty, '1')))).toHaveLength(1);
  const capable = privilegeProblems(parseProcessStatus(status('1\t1\t1\t1', '0000000000000400', '1')));
  expect(capable).toEqual(['it holds capabilities (CapPrm, CapEff)']);
  expect(privilegeProblems(parseProcessStatus(status('1\t1\t1\t1', empty, '0')))).toHaveLength(1);
});

test('a status without the lines counts as privileged', () => {
  expect(privilegeProblems(parseProcessStatus(''))).not.toEqual([]);
});

test('the refusal says how to start it', () => {
  expect(refusalText(['it runs as root (uid 0)'])).toContain('setpriv --reuid');
});
