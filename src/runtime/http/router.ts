import { MESSAGE_MATCHER_IS_ALREADY_BUILT, METHOD_NAME_ALL, type Router } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { SmartRouter } from 'hono/router/smart-router'
import { TrieRouter } from 'hono/router/trie-router'

/**
 * The routers that Hono itself would choose from, but chosen for each method: its fast one refuses a fixed path beside
 * a parameter (`POST /tasks/search`, `POST /tasks/{name}`), and one such pair would slow the routes of every method.
 * Each is made when its method is first asked for: no more than Node's parser lets through, which are `http.METHODS`.
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
