import { isServerFault, knownGrpcStatus } from './grpc-status.js';

test('the codes that blame the server, and those beyond the last one', () => {
  const codes = Array.from({ length: 19 }, (_, index) => index - 1);
  expect(codes.filter(isServerFault)).toEqual([2, 4, 12, 13, 14, 15, 17]);
  expect([-1, 0, 16, 17, 99].map(knownGrpcStatus)).toEqual([-1, 0, 16, 2, 2]);
});
