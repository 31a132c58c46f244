/**
 * How long before Cloud Run's own timeout the service ends a request: 5 s, or a tenth of a short timeout. Statements and
 * attempts of tasks end by the same margin earlier.
 *
 * @param timeoutSeconds REQUEST_TIMEOUT
 */
export function requestMarginMs(timeoutSeconds: number): number {
  return 1000 * Math.min(5, timeoutSeconds / 10)
}
