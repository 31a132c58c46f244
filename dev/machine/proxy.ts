import http from 'node:http'

const local = 'localhost,127.0.0.1,::1'

/**
 * Lets this process, and those that it starts from now on, reach this machine directly, whatever proxy the environment
 * names. No proxy can reach it.
 *
 * @param environment is changed
 */
export function reachLocalDirectly(environment: NodeJS.ProcessEnv = process.env): void {
  const set = Object.keys(environment).some((name) => /^(https?|all)_proxy$/i.test(name))
  if (!set) return
  const others = environment.no_proxy || environment.NO_PROXY
  const all = others ? `${others},${local}` : local
  Object.assign(environment, { no_proxy: all, NO_PROXY: all })
  // Node has read the variables at its start
  if (environment.NODE_USE_ENV_PROXY === '1') http.setGlobalProxyFromEnv(environment)
}
