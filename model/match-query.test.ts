import { queryParam } from './match-query.js';

test.each([
  ['a=1', 'a', '1'],
  ['a=1&a=2', 'a', '1'],
  ['b=0&a=1', 'a', '1'],
  ['ab=0&a=1', 'a', '1'],
  ['a', 'a', ''],
  ['a=', 'a', ''],
  ['a=x=y', 'a', 'x=y'],
  ['a=b%20c+d', 'a', 'b c d'],
  ['%61=1', 'a', '1'],
  ['x+y=1', 'x y', '1'],
  ['x%2By=1', 'x+y', '1'],
  ['x+y=1', 'x+y', null],
  ['a=%ff', 'a', '%ff'],
  ['', 'a', null],
  ['&&', 'a', null],
  ['b=a', 'a', null],
  ['A=1', 'a', null],
  ['é=1', 'é', '1'],
  ['%C3%A9=1', 'é', '1'],
])('of %s the parameter %s is %s', (query, name, value) => {
  expect(queryParam(query, name)).toBe(value);
});
