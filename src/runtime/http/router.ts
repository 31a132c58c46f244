import { MESSAGE_MATCHER_IS_ALREADY_BUILT, METHOD_NAME_ALL, type Router } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { SmartRouter } from 'hono/router/smart-router'
import { TrieRouter } from 'hono/router/trie-router'

/**
 * A router that uses one of Hono's routers for each method. Hono's fast router cannot hold a fixed path beside a parameter
 * (`POST /tasks/search`, `POST /tasks/{name}`). With one router for all methods, one such pair would slow down all routes.
 * A method's router is built at its first request. There cannot be many: Node's parser accepts only `http.METHODS`.
 *
 * @example
 * import { Hono } from 'hono'
 * const app = new Hono<BaseEnv>({ router: routerByMethod() })
 */
export function routerByMethod<Handler>(): Router<Handler> {
  const routes: Parameters<Router<Handler>['add']>[] = []
  const routers = new Map<string, Router<Handler>>()

  function routerOf(method: string): Router<Handler> {
    const router = new SmartRouter<Handler>({ routers: [new RegExpRouter(), new TrieRouter()] })
    for (const [its, path, handler] of routes)
      if (its === method || its === METHOD_NAME_ALL) router.add(method, path, handler)
    routers.set(method, router)
    return router
  }

  return {
    name: 'SmartRouter by method',
    add(...route) {
      if (routers.size > 0) throw new Error(MESSAGE_MATCHER_IS_ALREADY_BUILT)
      routes.push(route)
    },
    match(method, path) {
      return (routers.get(method) ?? routerOf(method)).match(method, path)
    },
  }
}
